namespace Coordinator.Adapters.Postgres.Embedded;

/// <summary>
/// A copy of PostgreSQL's programs where its own user can reach them: packages installed below root's home cannot be
/// traversed by anybody else. Made once per source and version.
/// </summary>
internal static class BinariesCopy
{
    /// <summary>Copies the installation that <paramref name="binaries"/> is the <c>bin</c> of, unless that was done before.</summary>
    public static PostgresBinaries Make(PostgresBinaries binaries, TimeProvider time)
    {
        var installation = Path.GetFullPath(Path.Combine(binaries.Directory, ".."));
        var program = new FileInfo(binaries.Postgres);
        var identity = $"{installation}:{program.Length}:{program.LastWriteTimeUtc.Ticks}";
        var target = Path.Combine(EmbeddedLayout.SharedState, $"postgresql-{binaries.Major}-{EmbeddedLayout.NameOf(identity)}");
        if (!Directory.Exists(target))
        {
            var unfinished = $"{target}.{PortableToken(time)}";
            CopyTree(new DirectoryInfo(installation), unfinished);
            Publish(unfinished, target);
        }

        return binaries with { Directory = Path.Combine(target, Path.GetFileName(binaries.Directory.TrimEnd('/'))) };
    }

    /// <summary>Renames into place, so that nobody ever sees half a copy; when another process was first, its copy serves.</summary>
    private static void Publish(string unfinished, string target)
    {
        try
        {
            Directory.Move(unfinished, target);
        }
        catch (IOException) when (Directory.Exists(target))
        {
            Directory.Delete(unfinished, recursive: true);
        }
    }

    private static void CopyTree(DirectoryInfo source, string target)
    {
        Directory.CreateDirectory(target);
        foreach (var entry in source.EnumerateFileSystemInfos())
        {
            var path = Path.Combine(target, entry.Name);
            if (entry.LinkTarget is { } link) File.CreateSymbolicLink(path, link);
            else if (entry is DirectoryInfo directory) CopyTree(directory, path);
            else if (entry.Extension != ".a") File.Copy(entry.FullName, path); // static libraries are for building against, and large
        }
    }

    private static string PortableToken(TimeProvider time) => $"{Environment.ProcessId}-{time.GetTimestamp():x}";
}
