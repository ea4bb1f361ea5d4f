using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Hosts;

/// <summary>
/// The hosts of one database. Liveness is a session-level advisory lock on a connection that a host keeps for it, read
/// from <c>pg_locks</c>, and a beat with the time after which peers take its host for dead (the column <c>time_to_live</c> has
/// <see cref="HostPulse.DeadAfter"/> of what is configured); ownership of a session is the host of its head.
/// </summary>
public sealed partial class PostgresHostRegistry : IHostRegistry, IAsyncDisposable, IDisposable
{
    private const int EndTimeoutMilliseconds = 2_000;

    private readonly SystemDataSource system;
    private readonly DatabaseOptions options;
    private readonly DatabasePatience patience;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly OpeningWakeUps openings;
    private readonly BeatsSeen beats;

    internal PostgresHostRegistry(SystemDataSource system, IOptions<DatabaseOptions> options, TimeProvider time, ILogger<PostgresHostRegistry> logger)
    {
        (this.system, this.options, this.time, this.logger) = (system, options.Value, time, logger);
        patience = new(system.Source, this.options.Journal.OutagePatience, time);
        (openings, beats) = (new(system.Source, time, logger), new(time));
    }

    /// <summary>Made anew while an outage lasts: a try that failed leaves a row without a lock, which is dead.</summary>
    public async ValueTask<IHostRegistration> RegisterAsync(HostIntroduction introduction, CancellationToken cancellationToken)
    {
        var registered = await patience.RunAsync(
            "registering the host",
            token => PostgresHostRegistration.OpenAsync(system, introduction, options.Hosts.TimeToLive, openings, time, logger, token),
            cancellationToken);
        LogRegistered(registered.Location.Id, introduction.Address);
        return registered;
    }

    public async ValueTask<HostLocation?> FindAsync(SessionKey key, CancellationToken cancellationToken) => await patience.RunAsync(
        "looking for a session's host",
        async token => await LookAsync(key, token) is { IsAlive: true } owner ? owner.Location : null,
        cancellationToken);

    public async ValueTask<bool> IsAliveAsync(HostId host, CancellationToken cancellationToken) => await patience.RunAsync(
        "looking for a host",
        async token =>
        {
            await using var command = system.Source.CreateCommand("SELECT host_alive(host), beat, time_to_live FROM session_host AS host WHERE id = $1");
            command.Parameters.Add(new() { Value = host.Value });
            await using var row = await command.ExecuteReaderAsync(token);
            return await row.ReadAsync(token) && row.GetBoolean(0) && beats.IsHeard(host, row.GetDateTime(1), row.GetTimeSpan(2));
        },
        cancellationToken);

    public async ValueTask<HostLocation> ClaimAsync(SessionKey key, IHostRegistration claimant, CancellationToken cancellationToken)
    {
        // A claim that waits for a session holds up whoever takes over from a host that is none any more. It is cancelled beside the others that hear of the
        // loss and not before them: the driver dials the server to have a statement cancelled, and that server may be what was lost.
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var cancelled = Task.CompletedTask;
        var hearing = claimant.Lost.Register(() => cancelled = lost.CancelAsync());
        try
        {
            return await ClaimWhileHostAsync(key, claimant, lost.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new PortException(PortFailureKind.Fenced, $"Host {claimant.Location.Id} is none any more; it must register anew.");
        }
        finally
        {
            await hearing.DisposeAsync();
            await cancelled;
        }
    }

    private async ValueTask<HostLocation> ClaimWhileHostAsync(SessionKey key, IHostRegistration claimant, CancellationToken cancellationToken) => await patience.RunAsync(
        "claiming a session",
        async token =>
        {
            while (true)
            {
                var owner = await LookAsync(key, token);
                if (owner is { IsAlive: true }) return owner.Location!;
                if (owner is not null && owner.Id != claimant.Location.Id) await BuryAsync(owner, token);
                if (await system.Heads.ChangeAsync((lockTimeout, limited) => TakeAsync(key, owner?.Id, claimant.Location.Id, lockTimeout, limited), token)) return claimant.Location;
            }
        },
        cancellationToken);

    public IOpeningListener Listen(SessionKey key) => openings.Listen(key);

    public ValueTask DisposeAsync() => openings.DisposeAsync();

    public void Dispose() => openings.Dispose();

    private async Task<Owner?> LookAsync(SessionKey key, CancellationToken cancellationToken)
    {
        await using var command = system.Source.CreateCommand(
            """
            SELECT head.host, owner.address, coalesce(host_alive(owner), false), owner.beat, owner.time_to_live
            FROM session_head AS head LEFT JOIN session_host AS owner ON owner.id = head.host
            WHERE head.org = $1 AND head.session = $2 AND head.host IS NOT NULL
            """);
        command.Parameters.Add(new() { Value = key.Organization.Value });
        command.Parameters.Add(new() { Value = key.Session.Value });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        if (!await row.ReadAsync(cancellationToken)) return null;
        var host = new HostId(row.GetGuid(0));
        var isAlive = row.GetBoolean(2) && beats.IsHeard(host, row.GetDateTime(3), row.GetTimeSpan(4));
        return new(host, row.IsDBNull(1) ? null : row.GetString(1), isAlive);
    }

    /// <summary>
    /// Ends what a dead host still has open, so that no statement it sent before it fell silent holds a session's row or
    /// lands later; then says that it is dead, so that it hears of it if it comes back: after a claim that it is in the middle of.
    /// </summary>
    private async Task BuryAsync(Owner dead, CancellationToken cancellationToken)
    {
        if (!dead.IsKnown) return;
        var isEnded = await EndAsync(dead.Id, cancellationToken);
        await using var mark = system.Source.CreateCommand(
            """
            UPDATE session_host AS host SET dead = true, connections_ended_at = CASE WHEN $2 THEN now() ELSE connections_ended_at END
            FROM (SELECT id, dead FROM session_host WHERE id = $1 AND ($2 OR NOT dead) FOR UPDATE) AS was
            WHERE host.id = was.id
            RETURNING was.dead
            """);
        mark.Parameters.Add(new() { Value = dead.Id.Value });
        mark.Parameters.Add(new() { Value = isEnded });
        if (await mark.ExecuteScalarAsync(cancellationToken) is false) LogBuried(dead.Id);
    }

    /// <summary>
    /// The connections are those of the host's process. One that is alive as another host by now keeps them, and ends by itself what it had under way
    /// as this one, which the fence refuses; nor does one that comes back lose them again for each session that it left, until a time to live later it may
    /// hang anew. This process never ends its own. False when nothing was to be ended.
    /// </summary>
    private async Task<bool> EndAsync(HostId dead, CancellationToken cancellationToken)
    {
        await using var end = system.Source.CreateCommand(
            """
            SELECT host_connections_end(gone.connections, $3) FROM session_host AS gone
            WHERE gone.id = $1 AND gone.connections <> $2
                AND (gone.connections_ended_at IS NULL OR gone.connections_ended_at NOT BETWEEN now() - gone.time_to_live AND now())
                AND NOT EXISTS (SELECT FROM session_host AS anew WHERE anew.connections = gone.connections AND anew.id <> gone.id AND host_alive(anew))
            """);
        end.Parameters.Add(new() { Value = dead.Value });
        end.Parameters.Add(new() { Value = system.Name });
        end.Parameters.Add(new() { Value = (long)EndTimeoutMilliseconds });
        return await end.ExecuteScalarAsync(cancellationToken) switch
        {
            null => false,
            true => true,
            _ => throw new TimeoutException("The connections of a dead host do not end."),
        };
    }

    /// <summary>
    /// False when somebody else was faster: look again. Whoever marks the claimant dead waits for the claim, and its own beat does not,
    /// however long somebody holds the session.
    /// </summary>
    private async Task<bool> TakeAsync(SessionKey key, HostId? from, HostId claimant, string lockTimeout, CancellationToken cancellationToken)
    {
        await using var command = system.Source.CreateCommand(
            """
            WITH claimant AS (
                SELECT id FROM session_host AS host WHERE id = $4 AND host_alive(host) FOR KEY SHARE
            ), patience AS MATERIALIZED (
                SELECT set_config('lock_timeout', $5, true)
            ), taken AS (
                UPDATE session_head AS head
                SET host = claimant.id, epoch = CASE WHEN head.host IS DISTINCT FROM claimant.id THEN head.epoch + 1 ELSE head.epoch END
                FROM claimant, patience
                WHERE head.org = $1 AND head.session = $2 AND head.host IS NOT DISTINCT FROM $3
                RETURNING head.session
            )
            SELECT EXISTS (SELECT FROM claimant), EXISTS (SELECT FROM taken), EXISTS (SELECT FROM session_head WHERE org = $1 AND session = $2)
            """);
        command.Parameters.Add(new() { Value = key.Organization.Value });
        command.Parameters.Add(new() { Value = key.Session.Value });
        command.Parameters.Add(new() { Value = (object?)from?.Value ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid });
        command.Parameters.Add(new() { Value = claimant.Value });
        command.Parameters.Add(new() { Value = lockTimeout });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        var (alive, taken, exists) = (row.GetBoolean(0), row.GetBoolean(1), row.GetBoolean(2));
        if (!alive) throw new PortException(PortFailureKind.Fenced, $"Host {claimant} is not alive to its peers; it must register anew.");
        return taken || !exists;
    }

    [LoggerMessage(2171, LogLevel.Information, "This process is {Host}, at {Address}.")]
    private partial void LogRegistered(HostId host, Uri address);

    [LoggerMessage(2172, LogLevel.Warning, "{Host} is dead: what it had open is ended, and its sessions go to whoever is asked for them.")]
    private partial void LogBuried(HostId host);

    /// <summary>Whom a session's head names. Without a row of its own it is long dead, or was never a host of this kind.</summary>
    private sealed record Owner(HostId Id, string? Address, bool IsAlive)
    {
        public bool IsKnown => Address is not null;

        public HostLocation? Location => Address is null ? null : new(Id, new(Address));
    }
}
