using Coordinator.Ports;

namespace Coordinator.Adapters.Git;

/// <summary>Section <c>Git</c>: how the host looks into repositories.</summary>
public sealed class GitOptions
{
    public const string Section = "Git";

    /// <summary>Where the addresses are excepted that boxes may reach beyond the public internet; the host's own git keeps to the same.</summary>
    public const string ExceptionsKey = "Sandbox:Egress:Exceptions";

    /// <summary>The git program; 2.37 or newer. Default: <c>git</c> on the PATH.</summary>
    public string Executable { get; set; } = "git";

    /// <summary>How long finding a repository and a branch may take. Default 20 s.</summary>
    public TimeSpan LookTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long fetching a branch's newest commit may take. Default 60 s.</summary>
    public TimeSpan FetchTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The most that is fetched to list a repository; files above 1 MiB are not. Default 512 MiB.</summary>
    public long MaxFetchBytes { get; set; } = 512L * 1024 * 1024;

    /// <summary>The most files a repository is listed with. Default 200,000.</summary>
    public int MaxFiles { get; set; } = 200_000;

    /// <summary>How many git processes may run at once. Default 8.</summary>
    public int AtOnce { get; set; } = 8;

    /// <summary>Entries of <see cref="ExceptionsKey"/> (<see cref="AddressExceptions"/>).</summary>
    public string[] AddressExceptions { get; set; } = [];

    internal IEnumerable<string> Problems()
    {
        if (Executable.Contains('/', StringComparison.Ordinal) && !File.Exists(Executable)) yield return $"{Section}:{nameof(Executable)} names {Executable}, which is not there; correct it, or leave it out to use the git of the PATH.";
        if (LookTimeout <= TimeSpan.Zero) yield return $"{Section}:{nameof(LookTimeout)} is {LookTimeout}; it must be above zero.";
        if (FetchTimeout <= TimeSpan.Zero) yield return $"{Section}:{nameof(FetchTimeout)} is {FetchTimeout}; it must be above zero.";
        if (MaxFetchBytes <= 0) yield return $"{Section}:{nameof(MaxFetchBytes)} is {MaxFetchBytes}; it must be above zero.";
        if (MaxFiles <= 0) yield return $"{Section}:{nameof(MaxFiles)} is {MaxFiles}; it must be above zero.";
        if (AtOnce <= 0) yield return $"{Section}:{nameof(AtOnce)} is {AtOnce}; it must be above zero.";
        foreach (var entry in AddressExceptions.Where(entry => !IsException(entry))) yield return $"{ExceptionsKey} holds '{entry}', which is not a host name, an address or a network.";
    }

    private static bool IsException(string entry)
    {
        try
        {
            return Ports.AddressExceptions.Parse([entry]) is not null;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
