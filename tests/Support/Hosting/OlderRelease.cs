namespace Coordinator.Tests.Support.Hosting;

/// <summary>A program that makes boxes, and the program that it puts into them.</summary>
public sealed record Release(string Program, string Box);

/// <summary>The programs of a release that is upgraded from, as <c>tests/Chaos/publish-older.sh</c> leaves them.</summary>
/// <param name="Host">Hosts of that release.</param>
/// <param name="SandboxHost">Sandbox hosts of it.</param>
public sealed record OlderRelease(Release Host, Release SandboxHost)
{
    /// <exception cref="FileNotFoundException">The message names each program that is not there.</exception>
    public static OlderRelease In(string folder)
    {
        string At(params string[] path) => Path.GetFullPath(Path.Combine([folder, .. path]));
        var (host, sandboxHost, box) = (At("host", "Coordinator.Host.dll"), At("sandbox-host", "Coordinator.SandboxHost.dll"), At("box", "coordinator-box"));
        return new[] { host, sandboxHost, box }.Where(program => !File.Exists(program)).ToList() is { Count: > 0 } missing
            ? throw new FileNotFoundException($"An older release lacks {string.Join(", ", missing)}: tests/Chaos/publish-older.sh makes one.")
            : new(new(host, box), new(sandboxHost, box));
    }

    /// <summary>Going from it to itself is no upgrade.</summary>
    /// <param name="host">The present host's program.</param>
    /// <exception cref="FormatException">The present host is made of the same.</exception>
    public void DemandOtherThan(string host)
    {
        if (Parts(Host.Program).SequenceEqual(Parts(host))) throw new FormatException($"{Host.Program} is no older release: it is the present one.");
    }

    private static IEnumerable<(string Name, string Content)> Parts(string program) => Directory.EnumerateFiles(Path.GetDirectoryName(program)!, "Coordinator.*.dll").Order(StringComparer.Ordinal)
        .Select(part => (Path.GetFileName(part), Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(part)))));
}
