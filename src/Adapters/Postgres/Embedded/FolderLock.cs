namespace Coordinator.Adapters.Postgres.Embedded;

/// <summary>An flock(2) on a file, which ends with the process that holds it, however that ends.</summary>
internal static class FolderLock
{
    /// <summary>Takes the lock of <paramref name="path"/>, made when missing; null when somebody else holds it.</summary>
    public static FileStream? TryTake(string path) => Open(path, FileMode.OpenOrCreate);

    /// <summary>True when nobody holds the lock of <paramref name="path"/>; a file that is not there is free.</summary>
    public static bool IsFree(string path)
    {
        if (!File.Exists(path)) return true;
        using var taken = Open(path, FileMode.Open);
        return taken is not null;
    }

    private static FileStream? Open(string path, FileMode mode)
    {
        try
        {
            return new FileStream(path, mode, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
        }
        catch (IOException failure) when (failure is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException))
        {
            return null;
        }
    }
}
