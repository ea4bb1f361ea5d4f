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
        catch (PostgresException failure) when (!DatabaseFailure.MayPass(failure))
        {
            throw new PortException(PortFailureKind.Rejected, $"The database refused the host: {failure.SqlState} {failure.MessageText}. Check Database:ConnectionString.", inner: failure);
        }
        catch (PostgresException failure) when (failure.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            throw new PortException(PortFailureKind.Unavailable, "Somebody, such as a backup, holds a table that is changed before the host can serve.", inner: failure);
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
        if (!ready.Task.IsCompleted) return "The database is still starting.";
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
            return $"The database does not answer: {failure.Message}";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"The database did not answer within {CheckTimeout.TotalSeconds:F1} s.";
        }
    }
}
