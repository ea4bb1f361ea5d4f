using System.Security.Cryptography;
using Coordinator.Ports;

namespace Coordinator.Host.Maintenance;

/// <summary>
/// Where a backup is: <c>database</c>, and <c>artifacts</c> as they lie in the store. It has its name only when it is whole,
/// and is its owner's alone, because it holds what every organization wrote.
/// </summary>
internal sealed record BackupFolder(string Path)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public string Database => System.IO.Path.Combine(Path, "database");

    private string Artifacts => System.IO.Path.Combine(Path, "artifacts");

    /// <summary>Makes the folder under another name, has it filled, and gives it its own.</summary>
    public async Task MakeAsync(Func<BackupFolder, Task> fill)
    {
        if (System.IO.Path.Exists(Path)) throw new PortException(PortFailureKind.Rejected, $"{Path} is there already; name a folder that is not.");
        var unfinished = new BackupFolder($"{Path}.unfinished");
        if (Directory.Exists(unfinished.Path)) Directory.Delete(unfinished.Path, recursive: true);
        try
        {
            Create(unfinished.Path);
            Create(unfinished.Database);
            await fill(unfinished);
            Directory.Move(unfinished.Path, Path);
        }
        catch
        {
            if (Directory.Exists(unfinished.Path)) Directory.Delete(unfinished.Path, recursive: true);
            throw;
        }
    }

    /// <summary>
    /// Copies the store's artifacts. After the database was: what it refers to was stored before, so it is in the copy too.
    /// One that is deleted meanwhile is left out.
    /// </summary>
    public int TakeArtifacts(string store, CancellationToken cancellationToken) => Copy(store, Artifacts, cancellationToken);

    /// <summary>Adds the artifacts that the store lacks. They are named by what they hold, so those it has are the same.</summary>
    public int GiveArtifacts(string store, CancellationToken cancellationToken) => Copy(Artifacts, store, cancellationToken);

    /// <summary>A name with a dot in it is of a file that is still being written.</summary>
    private static int Copy(string from, string to, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(from)) return 0;
        var copied = 0;
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories).Where(file => !System.IO.Path.GetFileName(file).Contains('.', StringComparison.Ordinal)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var target = System.IO.Path.Combine(to, System.IO.Path.GetRelativePath(from, file));
            if (File.Exists(target)) continue;
            Create(System.IO.Path.GetDirectoryName(target)!);
            if (TryCopy(file, target)) copied++;
        }

        return copied;
    }

    private static bool TryCopy(string file, string target)
    {
        var unfinished = $"{target}.unfinished";
        try
        {
            File.Copy(file, unfinished, overwrite: true);
        }
        catch (FileNotFoundException)
        {
            return false; // deleted since it was listed
        }

        using (var written = File.Open(unfinished, FileMode.Open, FileAccess.ReadWrite))
        {
            if (Convert.ToHexStringLower(SHA256.HashData(written)) != System.IO.Path.GetFileName(file)) throw new PortException(PortFailureKind.Rejected, $"{file} does not hold what its name says; it is damaged. Move it away to go on without it.");
            written.Flush(flushToDisk: true);
        }

        File.Move(unfinished, target, overwrite: true);
        return true;
    }

    private static void Create(string folder)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, OwnerOnly);
    }
}
