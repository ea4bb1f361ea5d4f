using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Coordinator.Adapters.Postgres.Hosts;

/// <summary>
/// One host's lock and beat, both on one connection that does nothing else: while a beat comes through, the lock is held,
/// and when the connection ends, whoever waits on it hears so at once.
/// </summary>
internal sealed partial class PostgresHostRegistration : IHostRegistration
{
    /// <summary>The other living hosts, as whoever registers and whoever beats compares itself with them.</summary>
    private const string Others = "other.id, other.lock, other.clock_ahead, other.key_print";

    private readonly NpgsqlConnection connection;
    private readonly HostIntroduction introduction;
    private readonly HostPulse pulse;
    private readonly TimeSpan timeToLive;
    private readonly OpeningWakeUps openings;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly CancellationTokenSource leaving = new();
    private readonly Task beating;
    private int disposed;

    private PostgresHostRegistration(NpgsqlConnection connection, HostId id, HostIntroduction introduction, TimeSpan timeToLive, OpeningWakeUps openings, long heardAt, TimeProvider time, ILogger logger)
    {
        (this.connection, this.introduction, this.timeToLive, this.openings, this.time, this.logger) = (connection, introduction, timeToLive, openings, time, logger);
        Location = new(id, introduction.Address);
        pulse = new(timeToLive, heardAt, time);
        pulse.Lost.Register(() => LogLost(id, pulse.Loss));
        beating = Task.Run(() => BeatAsync(leaving.Token));
    }

    public HostLocation Location { get; }

    public CancellationToken Lost => pulse.Lost;

    public HostLoss? Loss => pulse.Loss;

    /// <summary>Four beats fit into the time that the host gives itself, so that one that is late costs nothing.</summary>
    private TimeSpan BeatEvery => timeToLive / 8;

    private int LeaveTimeout => Math.Max(1, (int)(timeToLive / 4).TotalSeconds);

    public static async Task<PostgresHostRegistration> OpenAsync(SystemDataSource system, HostIntroduction introduction, TimeSpan timeToLive, OpeningWakeUps openings, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        var connection = await system.Source.OpenConnectionAsync(cancellationToken);
        try
        {
            var heardAt = time.GetTimestamp();
            var id = HostId.New(time);
            await RegisterAsync(connection, id, introduction, system.Name, timeToLive, cancellationToken);
            return new(connection, id, introduction, timeToLive, openings, heardAt, time, logger);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public void Tell(SessionKey key) => openings.Tell(key);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0) return;
        await leaving.CancelAsync();
        await beating;
        pulse.Dispose();
        await LeaveAsync();
        await connection.DisposeAsync();
        leaving.Dispose();
    }

    /// <summary>Row and lock appear at once: nobody ever sees a host that lives and holds no lock yet.</summary>
    private static async Task RegisterAsync(NpgsqlConnection connection, HostId id, HostIntroduction introduction, string connections, TimeSpan timeToLive, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var sweep = new NpgsqlCommand("DELETE FROM session_host WHERE beat < now() - interval '1 day' AND (dead OR NOT host_alive(session_host))", connection, transaction)) await sweep.ExecuteNonQueryAsync(cancellationToken);
        await CompareAsync(connection, transaction, id, introduction, cancellationToken);
        await using var register = new NpgsqlCommand(
            """
            WITH host AS (INSERT INTO session_host (id, address, connections, time_to_live, clock_ahead, key_print) VALUES ($1, $2, $3, $4, $5 - clock_timestamp(), $6) RETURNING lock)
            SELECT pg_advisory_lock(host_lock_class(), lock) FROM host
            """,
            connection,
            transaction);
        register.Parameters.Add(new() { Value = id.Value });
        register.Parameters.Add(new() { Value = introduction.Address.AbsoluteUri });
        register.Parameters.Add(new() { Value = connections });
        // What peers go by is in the row; the host itself goes by the whole.
        register.Parameters.Add(new() { Value = HostPulse.DeadAfter(timeToLive) });
        register.Parameters.Add(Clock(introduction));
        register.Parameters.Add(new() { Value = (object?)introduction.KeyPrint ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        await register.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Who would be disbelieved does not become a host first: nothing is ever asked of it.</summary>
    private static async Task CompareAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, HostId id, HostIntroduction introduction, CancellationToken cancellationToken)
    {
        await using var look = new NpgsqlCommand($"SELECT self.clock_ahead, {Others} FROM (SELECT $1 - clock_timestamp() AS clock_ahead) AS self LEFT JOIN session_host AS other ON host_alive(other)", connection, transaction);
        look.Parameters.Add(Clock(introduction));
        await using var rows = await look.ExecuteReaderAsync(cancellationToken);
        await rows.ReadAsync(cancellationToken);
        if (await JudgeAsync(rows, new(id, long.MaxValue, Span(rows, 0), introduction.KeyPrint), cancellationToken) is { } discord) throw discord.ToException();
    }

    /// <summary>By rows of its own clock and <see cref="Others"/>, of which the first is read already, and has nobody in it when there is none.</summary>
    private static async Task<HostDiscord?> JudgeAsync(NpgsqlDataReader rows, HostStanding self, CancellationToken cancellationToken)
    {
        List<HostStanding> others = [];
        do
        {
            if (!rows.IsDBNull(1)) others.Add(new(new(rows.GetGuid(1)), rows.GetInt32(2), Span(rows, 3), rows.IsDBNull(4) ? null : rows.GetString(4)));
        }
        while (await rows.ReadAsync(cancellationToken));
        return HostAccord.Judge(self, others);
    }

    private static TimeSpan? Span(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetTimeSpan(column);

    private static NpgsqlParameter Clock(HostIntroduction introduction) => new() { Value = (object?)introduction.Clock?.GetUtcNow().UtcDateTime ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz };

    /// <summary>A beat has no time limit but the pulse's: an end of it would be the connection's, and cost what it was to keep. Whoever hears of the loss disposes.</summary>
    private async Task BeatAsync(CancellationToken cancellationToken)
    {
        try
        {
            // A beat does not wait for the disk, or for a standby: what a crash takes with it, it takes the lock with too, and a host that a
            // stalled disk were to cost all its sessions would have nobody to leave them to.
            await using var beat = new NpgsqlCommand(
                $"""
                WITH self AS (UPDATE session_host SET beat = now(), clock_ahead = $2 - clock_timestamp() WHERE id = $1 AND NOT dead RETURNING id, lock, clock_ahead)
                SELECT self.clock_ahead, {Others}, self.lock, {UnforcedCommit.Sql} FROM self LEFT JOIN session_host AS other ON other.id <> self.id AND host_alive(other)
                """,
                connection) { CommandTimeout = 0 };
            var sentAt = time.GetTimestamp();
            var wasDiscord = false;
            while (pulse.Loss is null)
            {
                if (BeatEvery - time.GetElapsedTime(sentAt) is { TotalMilliseconds: >= 1 } pause) await connection.WaitAsync(pause, cancellationToken);
                sentAt = time.GetTimestamp();
                beat.Parameters.Clear();
                beat.Parameters.Add(new() { Value = Location.Id.Value });
                beat.Parameters.Add(Clock(introduction));
                await using var rows = await beat.ExecuteReaderAsync(cancellationToken);
                if (!await rows.ReadAsync(cancellationToken))
                {
                    pulse.Lose(HostLoss.MarkedDead);
                    break;
                }

                var discord = await JudgeAsync(rows, new(Location.Id, rows.GetInt32(5), Span(rows, 0), introduction.KeyPrint), cancellationToken);
                pulse.Beat(sentAt);
                if (discord is not null && wasDiscord) pulse.Lose(HostLoss.Disbelieved); // twice: a clock that is being set moves before its host has said so
                wasDiscord = discord is not null;
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // It leaves.
        }
        catch (Exception failure) when (DatabaseFailure.IsOne(failure) || failure is ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            LogUnheard(DatabaseFailure.IsOne(failure) ? DatabaseFailure.ToPort(failure, "holding the lock of a host") : failure, Location.Id);
            pulse.Lose(HostLoss.LockGone);
        }
    }

    /// <summary>Says that the host is gone, and frees the lock, which the pool would keep. When it cannot be said, the time to live says it.</summary>
    private async Task LeaveAsync()
    {
        if (connection.FullState != System.Data.ConnectionState.Open) return;
        try
        {
            await using var leave = new NpgsqlCommand($"WITH left_host AS (UPDATE session_host SET dead = true WHERE id = $1) SELECT pg_advisory_unlock_all(), {UnforcedCommit.Sql}", connection) { CommandTimeout = LeaveTimeout };
            leave.Parameters.Add(new() { Value = Location.Id.Value });
            await leave.ExecuteNonQueryAsync();
        }
        catch (Exception failure) when (DatabaseFailure.IsOne(failure))
        {
            LogNotLeft(failure, Location.Id);
        }
    }

    [LoggerMessage(2173, LogLevel.Warning, "{Host} has lost its registration: {Why}. It stops what it does under this id.")]
    private partial void LogLost(HostId host, HostLoss? why);

    [LoggerMessage(2175, LogLevel.Warning, "The connection that holds the lock of {Host} has failed.")]
    private partial void LogUnheard(Exception failure, HostId host);

    [LoggerMessage(2174, LogLevel.Information, "{Host} could not say that it leaves; its peers find out.")]
    private partial void LogNotLeft(Exception failure, HostId host);
}
