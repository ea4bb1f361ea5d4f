using System.Diagnostics;
using System.Globalization;

namespace Coordinator.Adapters.Postgres.Embedded;

/// <summary>
/// One life of the server and of its guard. The guard holds a pipe to this process and hands an inherited lock on to the
/// server: when the pipe closes, however this process ended, the server is shut down; while anything of it lives, the
/// lock is held, so no second server is ever started on the same data.
/// </summary>
internal sealed class GuardedServer : IAsyncDisposable
{
    /// <summary>The guard's exit code when the lock did not become free: something of an earlier server still lives.</summary>
    public const int LockHeld = 75;

    // A killed server leaves its pid file and socket, and a pid that its reaper has not yet fetched makes the next start
    // refuse. Both are stale for certain once the lock is held. The server's input is closed so that only the guard's
    // watcher holds the pipe, and the watcher lets go of the lock so that it alone never keeps it.
    private const string Script = """
        lock=$1 log=$2 data=$3 run=$4; shift 4
        exec 8<&0 9>>"$lock" >>"$log" 2>&1 </dev/null
        flock -w 15 9 || exit 75
        rm -f "$data/postmaster.pid" "$run/.s.PGSQL.5432" "$run/.s.PGSQL.5432.lock"
        "$@" 8<&- </dev/null & p=$!
        (read x <&8; kill -INT $p) 9>&- & w=$!
        exec 8<&-
        wait $p; c=$?
        kill $w 2>/dev/null
        exit $c
        """;

    private readonly Process guard;

    private GuardedServer(Process guard)
    {
        this.guard = guard;
        Exited = WaitAsync(guard);
    }

    /// <summary>Ends, with the exit code, when the guard has ended.</summary>
    public Task<int> Exited { get; }

    /// <summary>Starts guard and server; says nothing of whether the server answers yet.</summary>
    public static GuardedServer Start(EmbeddedLayout layout, PostgresBinaries binaries, DatabaseUser? user)
    {
        var start = ShortCommand.Describe(user, Command(layout, binaries));
        start.RedirectStandardInput = true;
        return new(Process.Start(start) ?? throw new DatabaseStartException("The guard of the embedded PostgreSQL could not be started."));
    }

    /// <summary>The guard's whole command; whoever runs it holds the pipe that is its standard input.</summary>
    public static IReadOnlyList<string> Command(EmbeddedLayout layout, PostgresBinaries binaries) =>
    [
        "setsid", "sh", "-c", Script, "coordinator-postgres", layout.ServerLock, layout.Log, layout.Cluster, layout.RuntimeDirectory,
        binaries.Postgres, "-D", layout.Cluster, "-k", layout.RuntimeDirectory, .. ServerSettings.Arguments(binaries.Major),
    ];

    /// <summary>Lets go of the pipe, which shuts the server down, and waits for it; false when it did not end in time.</summary>
    public async Task<bool> StopAsync(TimeSpan timeout, TimeProvider time)
    {
        guard.StandardInput.Close();
        try
        {
            await Exited.WaitAsync(timeout, time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Lets go of the pipe and of the guard's process; does not wait.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!guard.HasExited) await guard.StandardInput.DisposeAsync();
        if (Exited.IsCompleted) guard.Dispose();
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"guard {guard.Id}");

    private static async Task<int> WaitAsync(Process guard)
    {
        await guard.WaitForExitAsync();
        return guard.ExitCode;
    }
}
