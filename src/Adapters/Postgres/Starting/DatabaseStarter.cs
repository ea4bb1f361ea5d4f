using System.Globalization;
using Coordinator.Ports;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// Brings the database up when the host starts: the embedded server, or the one of the connection string; then looks
/// whether it is durable, then migrates it and gives the roles that hosts work under what is theirs. A host without a sound database does not serve.
/// </summary>
internal sealed partial class DatabaseStarter(
    NpgsqlDataSource dataSource,
    SystemDataSource system,
    DatabaseServer server,
    DatabasePreparation preparation,
    TimeProvider time,
    ILogger<DatabaseStarter> logger) : IHostDependency, IDatabaseStarter
{
    private static readonly TimeSpan CheckTimeout = TimeSpan.FromMilliseconds(900);

    private volatile string? obstacle; // what the last try of the start failed for

    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Name => "database";

    public string Description => server.Embedded is { } embedded
        ? string.Create(CultureInfo.InvariantCulture, $"embedded PostgreSQL {embedded.Major}").TrimEnd()
        : $"PostgreSQL at {server.Host}";

    public bool IsRequired => true;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await BringUpAsync(cancellationToken);
        }
        catch (PortException failure)
        {
            obstacle = failure.Message;
            throw;
        }
    }

    private async Task BringUpAsync(CancellationToken cancellationToken)
    {
        try
        {
            var started = time.GetTimestamp();
            if (server.Embedded is { } embedded) await embedded.StartAsync(cancellationToken);
            var applied = await preparation.RunAsync(cancellationToken);
            await DatabasePreparation.VerifyRoleAsync(dataSource, server.Roles.Tenants, cancellationToken);
            await DatabasePreparation.VerifyRoleAsync(system.Source, server.Roles.Host, cancellationToken);
            LogReady(applied, time.GetElapsedTime(started).TotalMilliseconds);
            ready.TrySetResult();
        }
        catch (DatabaseStartException failure)
        {
            throw new PortException(failure.MayPass ? PortFailureKind.Unavailable : PortFailureKind.Rejected, failure.Message, inner: failure);
        }
        catch (MigrationException failure)
        {
            throw new PortException(PortFailureKind.Rejected, failure.Message, inner: failure);
        }
        catch (PostgresException failure) when (DatabaseFailure.IsOfRoom(failure))
        {
            throw new PortException(PortFailureKind.Full, $"The database has no room on its disk: {failure.SqlState} {failure.MessageText}. Make room; the host goes on by itself.", inner: failure);
        }
        catch (PostgresException failure) when (!DatabaseFailure.MayPass(failure))
        {
            throw new PortException(PortFailureKind.Rejected, $"The database refused the host: {failure.SqlState} {failure.MessageText}. Check Database:ConnectionString.", inner: failure);
        }
        catch (PostgresException failure) when (failure.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            throw new PortException(PortFailureKind.Unavailable, "Somebody, such as a backup, holds a table that is changed before the host can serve.", inner: failure);
        }
        catch (PostgresException failure) when (DatabaseFailure.IsOfLogin(failure))
        {
            throw new PortException(PortFailureKind.Unavailable, $"The database does not let the host in: {failure.SqlState} {failure.MessageText}. Check the user, the password and the database of Database:ConnectionString, or make them at the server.", inner: failure);
        }
        catch (NpgsqlException failure)
        {
            DatabaseFailure.LeaveIfReadOnly(dataSource, failure);
            throw new PortException(PortFailureKind.Unavailable, $"The database does not answer, or takes no writes: {failure.Message}", inner: failure);
        }
    }

    public Task WhenReadyAsync(CancellationToken cancellationToken) => ready.Task.WaitAsync(cancellationToken);

    public async ValueTask<string?> CheckAsync(CancellationToken cancellationToken)
    {
        if (server.Embedded is { Recovery: { Ticks: > 0 } recovery }) return $"The database is recovering from its last end, for {recovery.TotalSeconds:F0} s by now.";
        if (!ready.Task.IsCompleted) return obstacle is { } failed ? $"The database is still starting, and is tried again: {failed}" : "The database is still starting.";
        using var limit = new CancellationTokenSource(CheckTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var why = await WhyNotWrittenAsync(either.Token);
            if (why is not null) dataSource.Clear(); // another connection may lead to a server that takes writes, or find that this one does by now
            return why ?? system.Room.WhyNone();
        }
        catch (PostgresException failure) when (DatabaseFailure.IsOfRoom(failure))
        {
            return $"The database has no room on its disk: {failure.SqlState} {failure.MessageText}";
        }
        catch (NpgsqlException failure)
        {
            return $"The database does not answer: {failure.Message}";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"The database did not answer within {CheckTimeout.TotalSeconds:F1} s.";
        }
    }

    private async Task<string?> WhyNotWrittenAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'");
        await using var answer = await command.ExecuteReaderAsync(cancellationToken);
        await answer.ReadAsync(cancellationToken);
        var (isStandby, isReadOnly) = (answer.GetBoolean(0), answer.GetBoolean(1));
        if (isStandby) return "The database is a standby, which is read and takes no writes: promote it, or have Database:ConnectionString list the server that takes them (Host=db-1,db-2;Target Session Attributes=primary).";
        return isReadOnly ? "The database is read-only: it is read, and takes no writes. Set default_transaction_read_only to off for it, the host's login and its server." : null;
    }
}
