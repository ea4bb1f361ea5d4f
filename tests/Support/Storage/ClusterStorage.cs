namespace Coordinator.Tests.Support;

/// <summary>
/// Where tests keep the clusters of PostgreSQL servers: in memory where there is room, else with other temporary files. What they do to a server is to kill
/// it, which no file system notices, and a disk's takes longer to find a place for each of a thousand new files where as many were just removed.
/// </summary>
public static class ClusterStorage
{
    private const string InMemory = "/dev/shm";

    /// <summary>Of some tens of clusters, of which a few are there at a time, with the log that a busy one keeps.</summary>
    private const long Room = 4L << 30;

    /// <summary>What is in memory is taken from what the tests' own processes may have.</summary>
    private const long Memory = 3 * Room;

    /// <summary>A folder that exists, for folders of tests' own.</summary>
    public static string Folder { get; } = HasRoom() ? InMemory : Path.GetTempPath();

    private static bool HasRoom() =>
        Directory.Exists(InMemory) && new DriveInfo(InMemory).AvailableFreeSpace >= Room && GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >= Memory;
}
