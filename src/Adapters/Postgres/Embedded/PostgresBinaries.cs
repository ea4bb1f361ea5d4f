using System.Globalization;
using System.Text.RegularExpressions;

namespace Coordinator.Adapters.Postgres.Embedded;

/// <summary>A folder with <c>postgres</c> and <c>initdb</c> of one major version.</summary>
internal sealed partial record PostgresBinaries(string Directory, int Major)
{
    /// <summary>The oldest major version this works with.</summary>
    public const int OldestMajor = 14;

    private static readonly TimeSpan VersionTimeout = TimeSpan.FromSeconds(10);

    public string Postgres => Path.Combine(Directory, "postgres");

    public string InitDb => Path.Combine(Directory, "initdb");

    /// <summary>Asks the program for its version; null when the folder holds no working, complete PostgreSQL.</summary>
    public static async Task<PostgresBinaries?> ProbeAsync(string directory, TimeProvider time, CancellationToken cancellationToken)
    {
        var postgres = Path.Combine(directory, "postgres");
        if (!File.Exists(postgres) || !File.Exists(Path.Combine(directory, "initdb"))) return null;
        var outcome = await ShortCommand.RunAsync(null, [postgres, "--version"], VersionTimeout, time, cancellationToken);
        if (outcome is not { ExitCode: 0 }) return null;
        var match = Version().Match(outcome.Output);
        return match.Success ? new(directory, int.Parse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture)) : null;
    }

    [GeneratedRegex(@"^postgres \(PostgreSQL\) (\d+)", RegexOptions.CultureInvariant)]
    private static partial Regex Version();
}
