using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>
/// Removes the events of sessions that are long over, off the hot path: one session per transaction, its head locked the while,
/// so that whoever opens it waits for a moment and then finds all of it done. There is no index for this, because one over
/// the time of the last append would be written by every append.
/// </summary>
internal sealed partial class EventRetention(NpgsqlDataSource system, RestingSessions resting, ILogger logger)
{
    private const int MostAtOnce = 100;

    private const string IsWanted = "floor < seq";

    private const string HoldSql = $"SELECT seq, greatest(floor, archived) FROM session_head WHERE updated_at < now() - $1 AND host IS NULL AND wake_at IS NULL AND {IsWanted} AND org = $2 AND session = $3 FOR UPDATE SKIP LOCKED";

    private const string FloorSql = "UPDATE session_head SET floor = $3 WHERE org = $1 AND session = $2";

    /// <summary>As <see cref="ISessionJournal.ExpireEventsAsync"/>. A session that cannot be read, or at which the database fails, does not keep it from the next.</summary>
    public async Task<int> ExpireAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        var (removed, failures, last) = (0, 0, new SessionKey(default, default));
        while (removed == 0)
        {
            var old = await resting.ListAsync("looking for old sessions", IsWanted, age, last, MostAtOnce, cancellationToken);
            foreach (var key in old)
            {
                try
                {
                    if (await RemoveAsync(key, age, cancellationToken)) removed++;
                    failures = 0;
                }
                catch (Exception failure) when (DatabaseFailure.IsOne(failure))
                {
                    LogFailed(key, failure);
                    if (++failures < JournalSweep.MostFailures) continue;
                    return removed > 0 ? removed : throw DatabaseFailure.ToPort(failure, "removing old events");
                }
            }

            if (old.Count < MostAtOnce) break;
            last = old[^1];
        }

        return removed;
    }

    private async Task<bool> RemoveAsync(SessionKey key, TimeSpan age, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await system.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            if (await HoldAsync(connection, key, age, cancellationToken) is not { } left) return false;
            await RecordEmptying.EmptyAsync(connection, key, left, cancellationToken);
            await using var floor = RecordEmptying.Command(connection, FloorSql, key.Organization.Value, key.Session.Value, left.To);
            await floor.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return true;
        }
        catch (JsonException unreadable)
        {
            LogUnreadable(key, unreadable.Message);
            return false;
        }
    }

    /// <summary>Locks the head, and says which events still stand in records; null when the session is not over, or another has it.</summary>
    private static async Task<EventRange?> HoldAsync(NpgsqlConnection connection, SessionKey key, TimeSpan age, CancellationToken cancellationToken)
    {
        await using var hold = RecordEmptying.Command(connection, HoldSql, age, key.Organization.Value, key.Session.Value);
        await using var row = await hold.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? new EventRange(row.GetInt64(1) + 1, row.GetInt64(0)) : null;
    }

    [LoggerMessage(2151, LogLevel.Error, "The events of session {Session} cannot be removed: a record of it is not what was written: {Reason}")]
    private partial void LogUnreadable(SessionKey session, string reason);

    [LoggerMessage(2152, LogLevel.Error, "The events of session {Session} could not be removed; tried again at the next round.")]
    private partial void LogFailed(SessionKey session, Exception failure);
}
