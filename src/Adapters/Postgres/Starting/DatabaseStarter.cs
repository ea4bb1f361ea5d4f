using Coordinator.Adapters.Postgres.Embedded;
using Coordinator.Ports;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// Brings the database up when the host starts: the embedded server, or the one of the connection string once it
/// answers; then its durability, then its schema. A host without a sound database does not start.
/// </summary>
internal sealed partial class DatabaseStarter(
    NpgsqlDataSource dataSource,
    DatabaseServer server,
    MigrationRunner migrations,
    IOptions<DatabaseOptions> options,
    TimeProvider time,
    ILogger<DatabaseStarter> logger) : IHostedService, IDatabaseStarter
{
    private static readonly TimeSpan CheckTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            var started = time.GetTimestamp();
            if (server.Embedded is { } embedded) await embedded.StartAsync(cancellationToken);
            else await WaitForAnswerAsync(cancellationToken);
            await VerifyAsync(cancellationToken);
            var applied = await migrations.RunAsync(cancellationToken);
            LogReady(applied, time.GetElapsedTime(started).TotalMilliseconds);
            ready.SetResult();
        }
        catch (Exception failure)
        {
            ready.TrySetException(failure);
            _ = ready.Task.Exception; // observed here too: nobody may be waiting
            throw;
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        NpgsqlConnection.ClearAllPools();
        if (server.Embedded is { } embedded) await embedded.DisposeAsync();
    }

    public Task WhenReadyAsync(CancellationToken cancellationToken) => ready.Task.WaitAsync(cancellationToken);

    public async ValueTask<Problem?> CheckAsync(CancellationToken cancellationToken)
    {
        if (!ready.Task.IsCompletedSuccessfully) return Unavailable("it is still starting");
        using var limit = new CancellationTokenSource(CheckTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await using var command = dataSource.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync(either.Token);
            return null;
        }
        catch (NpgsqlException failure)
        {
            return Unavailable(failure.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Unavailable($"it did not answer within {CheckTimeout.TotalSeconds:F0} s");
        }
    }

    private static Problem Unavailable(string why) =>
        new("database_unavailable", $"The database does not answer: {why}. Try again shortly.", ProblemKind.Unavailable, TimeSpan.FromSeconds(1));

    private async Task WaitForAnswerAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            try
            {
                await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
                return;
            }
            catch (NpgsqlException failure) when (failure is not PostgresException { SqlState: not PostgresErrorCodes.CannotConnectNow })
            {
                if (time.GetElapsedTime(started) > options.Value.StartTimeout)
                {
                    throw new DatabaseStartException($"The database of Database:ConnectionString did not answer within {options.Value.StartTimeout.TotalSeconds:F0} s: {failure.Message}", failure);
                }

                LogWaiting(failure.Message);
                await Task.Delay(Poll, time, cancellationToken);
            }
            catch (PostgresException failure)
            {
                throw new DatabaseStartException($"The database of Database:ConnectionString refused the host: {failure.SqlState} {failure.MessageText}", failure);
            }
        }
    }

    /// <summary>What a user was shown must survive a power cut: a server that acknowledges without writing is refused.</summary>
    private async Task VerifyAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            SELECT current_setting('server_version_num')::int / 10000, current_setting('fsync'), current_setting('synchronous_commit'),
                   rolsuper OR rolbypassrls
            FROM pg_roles WHERE rolname = current_user
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var (major, fsync, commit, bypasses) = (reader.GetInt32(0), reader.GetString(1), reader.GetString(2), reader.GetBoolean(3));
        if (major < PostgresBinaries.OldestMajor) throw new DatabaseStartException($"The database is PostgreSQL {major}; {PostgresBinaries.OldestMajor} or newer is needed.");
        if (fsync != "on") throw new DatabaseStartException($"The database has fsync = {fsync}: what it acknowledged can be lost. Set fsync = on in its configuration.");
        if (commit == "off") throw new DatabaseStartException("The database has synchronous_commit = off for this role: what it acknowledged can be lost. Set it to on.");
        if (bypasses) LogBypassesRowSecurity();
    }
}
