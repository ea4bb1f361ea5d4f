using Coordinator.Ports;

namespace Coordinator.Adapters.Git.Trees;

/// <summary>A private directory that is gone when it is disposed.</summary>
internal sealed class TemporaryRepository : IDisposable
{
    public TemporaryRepository()
    {
        try
        {
            Path = Directory.CreateTempSubdirectory("coordinator-git-").FullName;
        }
        catch (IOException exception)
        {
            throw new PortException(PortFailureKind.Full, "There is no room to look into a repository.", inner: exception);
        }
    }

    public string Path { get; }

    /// <summary>Bytes of all its files now.</summary>
    public long Size()
    {
        try
        {
            return new DirectoryInfo(Path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Exists ? file.Length : 0);
        }
        catch (IOException)
        {
            // Files come and go while git works; the next look counts them.
            return 0;
        }
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Somebody cleaned the temporary files up.
        }
    }
}
