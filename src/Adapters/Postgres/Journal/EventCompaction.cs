using Coordinator.Ports;
using Coordinator.Ports.Session;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>
/// Writes records of sleeping sessions anew, off the hot path: what is written is worked out elsewhere and beforehand, so that a head is
/// locked for one statement alone. As for retention there is no index, because every append would write it.
/// </summary>
internal sealed class EventCompaction(NpgsqlDataSource system, RestingSessions resting)
{
    private const string IsWanted = "compacted < version AND greatest(floor, archived) < seq";

    // The head first: whoever opens the session waits for it, or has moved its epoch. An open that comes first is seen when its lock is free.
    // Each record is looked up by its key, and apart, as in JournalReader.PlaceSql; the head's lock keeps it where it was found.
    public const string WriteSql = """
        WITH head AS (
            UPDATE session_head SET compacted = $6
            WHERE org = $1 AND session = $2 AND epoch = $3 AND floor = $4 AND compacted = $5 AND archived = $10 AND host IS NULL AND wake_at IS NULL
            RETURNING org, session
        ), written AS (
            UPDATE session_record AS r SET codec = w.codec, payload = w.payload
            FROM head AS h CROSS JOIN unnest($7, $8, $9) AS w (version, codec, payload) CROSS JOIN LATERAL (
                SELECT ctid FROM session_record WHERE org = h.org AND session = h.session AND version = w.version OFFSET 0) AS place
            WHERE r.ctid = place.ctid
        )
        SELECT count(*) FROM head
        """;

    public Task<List<SessionKey>> ListAsync(TimeSpan age, SessionKey after, int limit, CancellationToken cancellationToken) =>
        resting.ListAsync("looking for sessions to compact", IsWanted, age, after, limit, cancellationToken);

    /// <summary>
    /// As <see cref="ISessionJournal.CompactAsync"/>. Not tried again: after an answer that was lost the head is not what was seen any more, and
    /// whoever asks reads it anew.
    /// </summary>
    public async Task<bool> WriteAsync(JournalCompaction compaction, CancellationToken cancellationToken)
    {
        var seen = compaction.Seen;
        try
        {
            await using var command = Command(
                WriteSql,
                seen.Key.Organization.Value,
                seen.Key.Session.Value,
                seen.Epoch,
                seen.Floor,
                seen.Compacted,
                compaction.Through,
                compaction.Records.Select(record => record.Version).ToArray(),
                compaction.Records.Select(record => record.Codec).ToArray(),
                compaction.Records.Select(record => record.Payload.ToArray()).ToArray(),
                seen.Archived);
            return await command.ExecuteScalarAsync(cancellationToken) is 1L;
        }
        catch (Exception failure) when (DatabaseFailure.IsOne(failure))
        {
            throw DatabaseFailure.ToPort(failure, "merging events");
        }
    }

    private NpgsqlCommand Command(string sql, params object[] values)
    {
        var command = system.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        return command;
    }
}
