using System.Globalization;

namespace Coordinator.Adapters.Postgres.Embedded;

/// <summary>
/// What an earlier host left running: its server on the way down, or one whose guard was killed. Called only by the
/// owner of the folder, so no living host is behind it. It is asked to end, then told to, and never competed with.
/// </summary>
internal sealed class LeftoverServer(EmbeddedLayout layout, TimeProvider time)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    private static readonly (TimeSpan After, int Signal)[] Steps =
    [
        (TimeSpan.Zero, NativeMethods.SigInt),
        (TimeSpan.FromSeconds(10), NativeMethods.SigQuit),
        (TimeSpan.FromSeconds(15), NativeMethods.SigKill),
    ];

    private static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(20);

    /// <summary>Returns when nothing of an earlier server lives; true when there was something to end.</summary>
    public async Task<bool> EndAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var step = 0;
        while (!FolderLock.IsFree(layout.ServerLock))
        {
            var elapsed = time.GetElapsedTime(started);
            if (step < Steps.Length && elapsed >= Steps[step].After && FindServer() is { } server)
            {
                _ = NativeMethods.SendSignal(server, Steps[step].Signal); // gone in this very moment is as good
                step++;
            }

            if (elapsed > GiveUp) throw new DatabaseStartException($"A PostgreSQL of an earlier run still holds {layout.ServerLock} and does not end. See {layout.Log}, end it, and start again.", mayPass: true);
            await Task.Delay(Poll, time, cancellationToken);
        }

        return step > 0;
    }

    /// <summary>The process that the server's pid file names, if it is a server of this very folder.</summary>
    private int? FindServer()
    {
        try
        {
            var first = File.ReadLines(Path.Combine(layout.Cluster, "postmaster.pid")).FirstOrDefault();
            if (!int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var process) || process <= 1) return null;
            return IsOurs(process) ? process : null;
        }
        catch (IOException)
        {
            return null; // not written yet, or just removed: looked at again
        }
    }

    private bool IsOurs(int process)
    {
        if (!Directory.Exists("/proc/self")) return true; // no /proc here: the held lock and the pid file are what there is
        var commandLine = File.ReadAllText($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/cmdline");
        return commandLine.Split('\0').Contains(layout.Cluster);
    }
}
