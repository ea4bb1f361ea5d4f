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
internal sealed partial class EventRetention(NpgsqlDataSource system, DatabasePatience patience, ILogger logger)
{
    private const int MostAtOnce = 100;

    private const string IsOver = "h.updated_at < now() - $1 AND h.host IS NULL AND h.wake_at IS NULL AND h.floor < h.seq";

    private const string OldSql = $"SELECT org, session FROM session_head AS h WHERE {IsOver} AND (org, session) > ($2, $3) ORDER BY org, session LIMIT $4";

    private const string HoldSql = $"SELECT seq FROM session_head AS h WHERE {IsOver} AND org = $2 AND session = $3 FOR UPDATE SKIP LOCKED";

    private const string ReadSql = """
        SELECT version, payload FROM session_record
        WHERE org = $1 AND session = $2 AND version > $3 AND last_seq >= first_seq ORDER BY version LIMIT 100
        """;

    private const string WriteSql = """
        UPDATE session_record AS r SET payload = w.payload FROM unnest($3, $4) AS w (version, payload)
        WHERE r.org = $1 AND r.session = $2 AND r.version = w.version
        """;

    private const string FloorSql = "UPDATE session_head SET floor = $3 WHERE org = $1 AND session = $2";

    /// <summary>As <see cref="ISessionJournal.ExpireEventsAsync"/>. A session that cannot be read does not keep it from the next.</summary>
    public async Task<int> ExpireAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        var (removed, last) = (0, new SessionKey(default, default));
        while (removed == 0)
        {
            var old = await patience.RunAsync("looking for old sessions", token => FindAsync(age, last, token), cancellationToken);
            foreach (var key in old)
            {
                if (await RemoveAsync(key, age, cancellationToken)) removed++;
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
            await using var hold = Command(connection, HoldSql, age, key.Organization.Value, key.Session.Value);
            if (await hold.ExecuteScalarAsync(cancellationToken) is not long seq) return false;
            for (var last = 0L; await ReadAsync(connection, key, last, cancellationToken) is { Versions.Count: > 0 } part; last = part.Versions[^1])
            {
                await using var write = Command(connection, WriteSql, key.Organization.Value, key.Session.Value, part.Versions, part.Payloads);
                await write.ExecuteNonQueryAsync(cancellationToken);
            }

            await using var floor = Command(connection, FloorSql, key.Organization.Value, key.Session.Value, seq);
            await floor.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return true;
        }
        catch (JsonException unreadable)
        {
            LogUnreadable(key, unreadable.Message);
            return false;
        }
        catch (Exception failure) when (DatabaseFailure.IsOne(failure))
        {
            throw DatabaseFailure.ToPort(failure, "removing old events");
        }
    }

    private static async Task<(List<long> Versions, List<byte[]> Payloads)> ReadAsync(NpgsqlConnection connection, SessionKey key, long after, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, ReadSql, key.Organization.Value, key.Session.Value, after);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var (versions, payloads) = (new List<long>(), new List<byte[]>());
        while (await reader.ReadAsync(cancellationToken))
        {
            versions.Add(reader.GetInt64(0));
            payloads.Add(WithoutEvents(reader.GetFieldValue<byte[]>(1)));
        }

        return (versions, payloads);
    }

    /// <summary>The very bytes of the facts: what is kept is not written anew in another way. Not by the server, whose JSON has no NUL.</summary>
    private static byte[] WithoutEvents(byte[] payload)
    {
        var reader = new Utf8JsonReader(payload);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isFacts = reader.ValueTextEquals("facts"u8);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (isFacts) return [.. "{\"facts\":"u8, .. payload.AsSpan(start, (int)reader.BytesConsumed - start), .. ",\"events\":null}"u8];
        }

        throw new JsonException("It has no facts.");
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        return command;
    }

    private async Task<List<SessionKey>> FindAsync(TimeSpan age, SessionKey after, CancellationToken cancellationToken)
    {
        await using var command = system.CreateCommand(OldSql);
        command.Parameters.Add(new() { Value = age });
        command.Parameters.Add(new() { Value = after.Organization.Value });
        command.Parameters.Add(new() { Value = after.Session.Value });
        command.Parameters.Add(new() { Value = MostAtOnce });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var old = new List<SessionKey>();
        while (await reader.ReadAsync(cancellationToken)) old.Add(new(new(reader.GetGuid(0)), new(reader.GetGuid(1))));
        return old;
    }

    [LoggerMessage(2151, LogLevel.Error, "The events of session {Session} cannot be removed: a record of it is not what was written: {Reason}")]
    private partial void LogUnreadable(SessionKey session, string reason);
}
