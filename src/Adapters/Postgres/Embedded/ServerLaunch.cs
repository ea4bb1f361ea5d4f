using Npgsql;

namespace Coordinator.Adapters.Postgres.Embedded;

/// <summary>
/// Starts the server and waits until it answers: as long as it takes while the server says that it recovers, since one that is
/// stopped at that has it all to do again, and for the timeout when it says nothing.
/// </summary>
internal sealed class ServerLaunch(EmbeddedLayout layout, PostgresBinaries binaries, DatabaseUser? user, TimeSpan timeout, TimeProvider time)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(15);
    private static readonly TimeSpan LongestPoll = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(10);

    private long recovery; // ticks; written by who waits, read by who asks how it is

    private enum Answer
    {
        None,
        Recovering,
        Ready,
    }

    public EmbeddedLayout Layout => layout;

    /// <summary>How long the server has been at its recovery, as it last answered; zero when it is not.</summary>
    public TimeSpan Recovery => new(Interlocked.Read(ref recovery));

    /// <summary>Hears, once in a while, how long a recovery has been going on, and which log tells more.</summary>
    public Action<TimeSpan, string>? Recovering { get; init; }

    /// <summary>What starts a guard and its server.</summary>
    public Func<EmbeddedLayout, PostgresBinaries, DatabaseUser?, GuardedServer> Launcher { get; init; } = GuardedServer.Start;

    /// <exception cref="DatabaseStartException">It ended, or said nothing for too long; the message names the log.</exception>
    public async Task<GuardedServer> StartAsync(CancellationToken cancellationToken)
    {
        var server = Launcher(layout, binaries, user);
        try
        {
            await WaitUntilAnsweringAsync(server, cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Returns when the server that somebody keeps alive answers.</summary>
    /// <exception cref="DatabaseStartException">It said nothing for too long; the message names the log.</exception>
    public Task WaitUntilAnsweringAsync(CancellationToken cancellationToken) => WaitUntilAnsweringAsync(null, cancellationToken);

    /// <summary>After a clean end its socket's folder is empty; one that is not is left alone.</summary>
    public void RemoveRuntimeDirectory()
    {
        var folder = new DirectoryInfo(layout.RuntimeDirectory);
        if (folder.Exists && !folder.EnumerateFileSystemInfos().Any()) folder.Delete();
    }

    private async Task WaitUntilAnsweringAsync(GuardedServer? server, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var (sign, reported) = (started, TimeSpan.Zero);
        try
        {
            while (await AskAsync(cancellationToken) is var answer && answer != Answer.Ready)
            {
                if (server is { Exited.IsCompleted: true }) throw new DatabaseStartException(Explain(await server.Exited), mayPass: true);
                var elapsed = time.GetElapsedTime(started);
                if (answer == Answer.Recovering)
                {
                    sign = time.GetTimestamp();
                    reported = Report(elapsed, reported);
                }
                else if (time.GetElapsedTime(sign) > timeout)
                {
                    throw new DatabaseStartException($"PostgreSQL did not answer within {timeout.TotalSeconds:F0} s; its log is {layout.Log}.", mayPass: true);
                }

                await Task.Delay(TimeSpan.FromTicks(Math.Clamp(elapsed.Ticks / 20, Poll.Ticks, LongestPoll.Ticks)), time, cancellationToken);
            }
        }
        finally
        {
            Interlocked.Exchange(ref recovery, 0);
        }
    }

    private TimeSpan Report(TimeSpan elapsed, TimeSpan reported)
    {
        Interlocked.Exchange(ref recovery, elapsed.Ticks);
        if (elapsed - reported < ReportInterval) return reported;
        Recovering?.Invoke(elapsed, layout.Log);
        return elapsed;
    }

    private async Task<Answer> AskAsync(CancellationToken cancellationToken)
    {
        if (!File.Exists(Path.Combine(layout.RuntimeDirectory, $".s.PGSQL.{EmbeddedLayout.Port}"))) return Answer.None;
        var connection = layout.Connection(EmbeddedLayout.Administrator, "postgres");
        connection.Pooling = false;
        await using var attempt = new NpgsqlConnection(connection.ConnectionString);
        try
        {
            await attempt.OpenAsync(cancellationToken);
            return Answer.Ready;
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.CannotConnectNow)
        {
            return Answer.Recovering; // it lives, and will answer or end
        }
        catch (NpgsqlException)
        {
            return Answer.None; // not listening yet: the caller's deadline decides
        }
    }

    private string Explain(int exitCode) => exitCode == GuardedServer.LockHeld
        ? $"A PostgreSQL of an earlier run still holds {layout.ServerLock}."
        : $"PostgreSQL ended with code {exitCode} while starting: {LastLogLine()} (its log is {layout.Log})";

    private string LastLogLine() => File.Exists(layout.Log) ? File.ReadLines(layout.Log).LastOrDefault() ?? "it said nothing" : "it said nothing";
}
