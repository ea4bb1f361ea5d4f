using Coordinator.Ports.Session;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>
/// Blobs that are about to become archives. A row is one writing's own, since no two make the same blob (<see cref="ArchiveWriter"/>); who notes the
/// archive and who gives the blob up meet at it, and one of them comes first.
/// </summary>
internal sealed class PendingArchives(NpgsqlDataSource system, DatabasePatience patience)
{
    private const string AnnounceSql = "INSERT INTO event_archive_pending (org, session, sha256) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

    private const string ForgetSql = "DELETE FROM event_archive_pending WHERE org = $1 AND session = $2 AND sha256 = $3";

    private const string TakeSql = $"{ForgetSql} AND NOT given_up";

    // One that is being noted is passed over. That an archive names one cannot be, and would lose what was said if it could.
    private const string GiveUpSql = """
        WITH old AS (
            SELECT org, session, sha256 FROM event_archive_pending AS p
            WHERE (given_up OR at < now() - $1) AND (org, session, sha256) > ($2, $3, $4)
                AND NOT EXISTS (SELECT FROM event_archive AS a WHERE a.org = p.org AND a.session = p.session AND a.sha256 = p.sha256)
            ORDER BY org, session, sha256 LIMIT $5 FOR UPDATE SKIP LOCKED
        ), given AS (
            UPDATE event_archive_pending AS p SET given_up = true FROM old WHERE p.org = old.org AND p.session = old.session AND p.sha256 = old.sha256
            RETURNING p.org, p.session, p.sha256
        )
        SELECT org, session, sha256 FROM given ORDER BY org, session, sha256
        """;

    public Task AnnounceAsync(PendingArchive pending, CancellationToken cancellationToken) => WriteAsync("announcing an archive", AnnounceSql, pending, cancellationToken);

    public Task ForgetAsync(PendingArchive pending, CancellationToken cancellationToken) => WriteAsync("forgetting what became no archive", ForgetSql, pending, cancellationToken);

    public Task<List<PendingArchive>> GiveUpAsync(TimeSpan age, PendingArchive? after, int limit, CancellationToken cancellationToken) => patience.RunAsync(
        "giving up what became no archive",
        async token =>
        {
            var key = after?.Key ?? default;
            await using var connection = await system.OpenConnectionAsync(token);
            await using var command = RecordEmptying.Command(connection, GiveUpSql, age, key.Organization.Value, key.Session.Value, after?.Sha256 ?? "", limit);
            await using var reader = await command.ExecuteReaderAsync(token);
            var given = new List<PendingArchive>();
            while (await reader.ReadAsync(token)) given.Add(new(new(new(reader.GetGuid(0)), new(reader.GetGuid(1))), reader.GetString(2)));
            return given;
        },
        cancellationToken);

    /// <summary>Takes the row of a blob that becomes an archive by the caller's transaction; false where there is none, or it was given up. Waits for whoever gives it up.</summary>
    public static async Task<bool> TakeAsync(NpgsqlConnection connection, PendingArchive pending, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, TakeSql, pending);
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    private Task WriteAsync(string doing, string sql, PendingArchive pending, CancellationToken cancellationToken) => patience.RunAsync(
        doing,
        async token =>
        {
            await using var connection = await system.OpenConnectionAsync(token);
            await using var command = Command(connection, sql, pending);
            await command.ExecuteNonQueryAsync(token);
        },
        cancellationToken);

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, PendingArchive pending) =>
        RecordEmptying.Command(connection, sql, pending.Key.Organization.Value, pending.Key.Session.Value, pending.Sha256);
}
