using Coordinator.Ports;

namespace Coordinator.Adapters.LocalSandbox.Layout;

/// <summary>
/// One maker or ender of a session's boxes at a time on this machine, across processes: a file lock, which the kernel
/// frees when its holder dies.
/// </summary>
internal sealed class SessionLock : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>EWOULDBLOCK, which .NET puts into the exception's HResult when the lock is held.</summary>
    private const int Held = 11;

    private readonly FileStream file;

    private SessionLock(FileStream file) => this.file = file;

    /// <exception cref="PortException"><see cref="PortFailureKind.Timeout"/>: held for a minute by another.</exception>
    public static async ValueTask<SessionLock> AcquireAsync(string path, TimeProvider time, CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        while (true)
        {
            if (TryOpen(path) is { } file) return new(file);
            if (time.GetElapsedTime(since) > Patience) throw new PortException(PortFailureKind.Timeout, "Other work on this session's boxes has not ended.");
            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    public void Dispose() => file.Dispose();

    private static FileStream? TryOpen(string path)
    {
        try
        {
            return new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException e) when (e.HResult == Held)
        {
            return null;
        }
    }
}
