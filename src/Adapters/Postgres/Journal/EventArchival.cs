using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>
/// Notes where events went that were archived, and takes them out of their records: of one session, in one transaction, its head locked the
/// while. As for retention there is no index, because every append would write it.
/// </summary>
internal sealed class EventArchival(NpgsqlDataSource system, RestingSessions resting, DatabasePatience patience)
{
    /// <summary>An archive's columns, in the order that <see cref="Archive"/> reads them.</summary>
    public const string Columns = "a.org, a.session, a.first_seq, a.last_seq, a.format, a.sha256, a.size, a.raw_size";

    private const string IsWanted = "greatest(floor, archived) < seq";

    // The head first: whoever opens the session waits for it, or has moved its epoch. An open that comes first is seen when its lock is free.
    private const string HoldSql = """
        UPDATE session_head SET archived = $7
        WHERE org = $1 AND session = $2 AND epoch = $3 AND floor = $4 AND compacted = $5 AND archived = $6 AND host IS NULL AND wake_at IS NULL
        """;

    private const string NoteSql = """
        INSERT INTO event_archive (org, session, first_seq, last_seq, format, sha256, size, raw_size) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """;

    private const string GoneSql = $"""
        SELECT {Columns} FROM event_archive AS a JOIN session_head AS h ON h.org = a.org AND h.session = a.session
        WHERE a.last_seq <= h.floor AND (a.org, a.session, a.last_seq) > ($2, $3, $4) ORDER BY a.org, a.session, a.last_seq LIMIT $1
        """;

    private const string ForgetSql = """
        DELETE FROM event_archive AS a USING session_head AS h
        WHERE a.org = $1 AND a.session = $2 AND a.last_seq = $3 AND h.org = a.org AND h.session = a.session AND a.last_seq <= h.floor
        """;

    public Task<List<SessionKey>> ListAsync(TimeSpan age, SessionKey after, int limit, CancellationToken cancellationToken) =>
        resting.ListAsync("looking for sessions to archive", IsWanted, age, after, limit, cancellationToken);

    public Task<List<EventArchive>> ListGoneAsync(EventArchive? after, int limit, CancellationToken cancellationToken)
    {
        var (key, last) = (after?.Key ?? default, after?.LastSeq ?? 0);
        return ReadAsync("looking for archives that nobody is told of", GoneSql, [limit, key.Organization.Value, key.Session.Value, last], Archive, cancellationToken);
    }

    /// <summary>
    /// As <see cref="ISessionJournal.ArchiveAsync"/>. Not tried again: after an answer that was lost the head is not what was seen any more, and
    /// whoever asks reads it anew.
    /// </summary>
    public async Task<bool> WriteAsync(SessionHead seen, EventArchive archive, CancellationToken cancellationToken)
    {
        if (archive.Key != seen.Key || archive.FirstSeq != seen.Emptied + 1) throw Rejected(archive);
        try
        {
            await using var connection = await system.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            var (org, session) = (seen.Key.Organization.Value, seen.Key.Session.Value);
            await using var hold = RecordEmptying.Command(connection, HoldSql, org, session, seen.Epoch, seen.Floor, seen.Compacted, seen.Archived, archive.LastSeq);
            if (await hold.ExecuteNonQueryAsync(cancellationToken) == 0 || !await PendingArchives.TakeAsync(connection, archive.Pending, cancellationToken)) return false;
            if (await RecordEmptying.EmptyAsync(connection, seen.Key, new(archive.FirstSeq, archive.LastSeq), cancellationToken) != archive.LastSeq) throw Rejected(archive);
            await using var note = RecordEmptying.Command(connection, NoteSql, org, session, archive.FirstSeq, archive.LastSeq, archive.Format, archive.Sha256, archive.Size, archive.RawSize);
            await note.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return true;
        }
        catch (JsonException unreadable)
        {
            throw new PortException(PortFailureKind.Corrupt, $"The events of session {seen.Key} cannot be archived: a record of it is not what was written.", inner: unreadable);
        }
        catch (Exception failure) when (DatabaseFailure.IsOne(failure))
        {
            throw DatabaseFailure.ToPort(failure, "archiving events");
        }
    }

    public Task ForgetAsync(EventArchive archive, CancellationToken cancellationToken) => patience.RunAsync(
        "forgetting an archive",
        async token =>
        {
            await using var connection = await system.OpenConnectionAsync(token);
            await using var command = RecordEmptying.Command(connection, ForgetSql, archive.Key.Organization.Value, archive.Key.Session.Value, archive.LastSeq);
            await command.ExecuteNonQueryAsync(token);
        },
        cancellationToken);

    /// <summary>The archive in a row of <see cref="Columns"/>.</summary>
    public static EventArchive Archive(NpgsqlDataReader row) => new(
        new(new(row.GetGuid(0)), new(row.GetGuid(1))), row.GetInt64(2), row.GetInt64(3), row.GetInt16(4), row.GetString(5), row.GetInt64(6), row.GetInt64(7));

    private Task<List<T>> ReadAsync<T>(string doing, string sql, object[] values, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) => patience.RunAsync(
        doing,
        async token =>
        {
            await using var connection = await system.OpenConnectionAsync(token);
            await using var command = RecordEmptying.Command(connection, sql, values);
            await using var reader = await command.ExecuteReaderAsync(token);
            var rows = new List<T>();
            while (await reader.ReadAsync(token)) rows.Add(read(reader));
            return rows;
        },
        cancellationToken);

    private static PortException Rejected(EventArchive archive) =>
        new(PortFailureKind.Rejected, $"An archive of the events {archive.FirstSeq} to {archive.LastSeq} is none of what stands in the records of session {archive.Key}.");
}
