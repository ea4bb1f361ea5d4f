using Npgsql;

namespace Coordinator.Adapters.Postgres.Embedded;

/// <summary>Starts the server and waits until it answers, recovery after a crash included.</summary>
internal sealed class ServerLaunch(EmbeddedLayout layout, PostgresBinaries binaries, DatabaseUser? user, TimeSpan timeout, TimeProvider time)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(15);

    public EmbeddedLayout Layout => layout;

    /// <exception cref="DatabaseStartException">It ended, or did not answer in time; the message names the log.</exception>
    public async Task<GuardedServer> StartAsync(CancellationToken cancellationToken)
    {
        var server = GuardedServer.Start(layout, binaries, user);
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

    /// <summary>After a clean end its socket's folder is empty; one that is not is left alone.</summary>
    public void RemoveRuntimeDirectory()
    {
        var folder = new DirectoryInfo(layout.RuntimeDirectory);
        if (folder.Exists && !folder.EnumerateFileSystemInfos().Any()) folder.Delete();
    }

    private async Task WaitUntilAnsweringAsync(GuardedServer server, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (!await AnswersAsync(cancellationToken))
        {
            if (server.Exited.IsCompleted) throw new DatabaseStartException(Explain(await server.Exited), mayPass: true);
            if (time.GetElapsedTime(started) > timeout) throw new DatabaseStartException($"PostgreSQL did not answer within {timeout.TotalSeconds:F0} s; its log is {layout.Log}.", mayPass: true);
            await Task.Delay(Poll, time, cancellationToken);
        }
    }

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        if (!File.Exists(Path.Combine(layout.RuntimeDirectory, $".s.PGSQL.{EmbeddedLayout.Port}"))) return false;
        var connection = layout.Connection(EmbeddedLayout.Administrator, "postgres");
        connection.Pooling = false;
        await using var attempt = new NpgsqlConnection(connection.ConnectionString);
        try
        {
            await attempt.OpenAsync(cancellationToken);
            return true;
        }
        catch (NpgsqlException)
        {
            return false; // not listening yet, or recovering: the caller's deadline decides
        }
    }

    private string Explain(int exitCode) => exitCode == GuardedServer.LockHeld
        ? $"A PostgreSQL of an earlier run still holds {layout.ServerLock}."
        : $"PostgreSQL ended with code {exitCode} while starting: {LastLogLine()} (its log is {layout.Log})";

    private string LastLogLine() => File.Exists(layout.Log) ? File.ReadLines(layout.Log).LastOrDefault() ?? "it said nothing" : "it said nothing";
}
