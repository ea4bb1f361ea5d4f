using System.Runtime.CompilerServices;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>
/// Finds sessions that were last written long ago, that nobody has open and that no wake-up waits for. Where the host that had one open ended before
/// it gave it back, and nothing wakes it or asks for it, its head names that host for good: it is freed here, when it is met. There is no index for
/// this, because one over the time of the last append would be written by every append.
/// </summary>
internal sealed partial class RestingSessions(NpgsqlDataSource system, DatabasePatience patience, ILogger logger)
{
    // A host that has peers had a row before it had a session; one that has none never has, and knows itself. The hosts are looked at once, and not before a head names one.
    private const string ListSql = """
        SELECT org, session, host FROM session_head
        WHERE updated_at < now() - $1 AND wake_at IS NULL AND {0} AND (org, session) > ($2, $3)
            AND (host IS NULL OR (host <> $5 AND host <> ALL (ARRAY(SELECT id FROM session_host AS here WHERE NOT dead AND host_alive(here)))))
        ORDER BY org, session LIMIT $4
        """;

    // As for a claim: whoever only hangs hears of it, and opens nothing however late its opening comes. One that is claiming a session is left for another time.
    private const string BurySql = """
        WITH gone AS (
            SELECT id FROM session_host AS host WHERE id = ANY ($1) AND NOT dead AND NOT host_alive(host) FOR UPDATE SKIP LOCKED
        )
        UPDATE session_host AS host SET dead = true FROM gone WHERE host.id = gone.id
        """;

    // Unlike a claim it ends no connections: what the dead host holds is passed over, and what it sent is refused for its epoch or as a dead host's.
    private const string FreeSql = """
        WITH free AS (
            SELECT h.org, h.session FROM session_head AS h JOIN unnest($1, $2, $3) AS left_by (org, session, host) ON h.org = left_by.org AND h.session = left_by.session AND h.host = left_by.host
            WHERE h.wake_at IS NULL AND NOT EXISTS (SELECT FROM session_host AS here WHERE here.id = h.host AND NOT here.dead)
            FOR UPDATE OF h SKIP LOCKED
        )
        UPDATE session_head AS h SET host = NULL, epoch = h.epoch + 1 FROM free WHERE h.org = free.org AND h.session = free.session
        """;

    /// <summary>As whom this process opened a session last: written before the opening is sent, so that whoever meets it in a head knows it by then.</summary>
    private volatile StrongBox<HostId>? self;

    /// <summary>This process is about to open a session as that host.</summary>
    public void OpensAs(HostId host)
    {
        if (self?.Value != host) self = new(host);
    }

    /// <summary>At most so many behind that one, in the order of their keys, of which that SQL is true of the head. One that cannot be freed now is among them, and is not as it must be for whatever is done to it.</summary>
    public async Task<List<SessionKey>> ListAsync(string doing, string isWanted, TimeSpan age, SessionKey after, int limit, CancellationToken cancellationToken)
    {
        var found = await patience.RunAsync(doing, token => FindAsync(isWanted, age, after, limit, token), cancellationToken);
        var left = found.Where(session => session.Host is { } host && host != self?.Value).Select(session => (session.Key, session.Host!.Value)).ToList();
        if (left.Count > 0) await FreeAsync(left, cancellationToken);
        return found.ConvertAll(session => session.Key);
    }

    private async Task<List<(SessionKey Key, HostId? Host)>> FindAsync(string isWanted, TimeSpan age, SessionKey after, int limit, CancellationToken cancellationToken)
    {
        await using var command = Command(ListSql.Replace("{0}", isWanted, StringComparison.Ordinal), age, after.Organization.Value, after.Session.Value, limit, self?.Value.Value ?? Guid.Empty);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<(SessionKey, HostId?)>();
        while (await reader.ReadAsync(cancellationToken)) found.Add((new(new(reader.GetGuid(0)), new(reader.GetGuid(1))), reader.IsDBNull(2) ? null : new HostId(reader.GetGuid(2))));
        return found;
    }

    /// <summary>What fails here keeps nothing from what nobody has open.</summary>
    private async Task FreeAsync(List<(SessionKey Key, HostId Host)> left, CancellationToken cancellationToken)
    {
        try
        {
            await using var bury = Command(BurySql, left.Select(session => session.Host.Value).Distinct().ToArray());
            await bury.ExecuteNonQueryAsync(cancellationToken);
            await using var free = Command(
                FreeSql,
                left.Select(session => session.Key.Organization.Value).ToArray(),
                left.Select(session => session.Key.Session.Value).ToArray(),
                left.Select(session => session.Host.Value).ToArray());
            if (await free.ExecuteNonQueryAsync(cancellationToken) is > 0 and var freed) LogFreed(freed);
        }
        catch (Exception failure) when (DatabaseFailure.IsOne(failure))
        {
            LogNotFreed(failure, left.Count);
        }
    }

    private NpgsqlCommand Command(string sql, params object[] values)
    {
        var command = system.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        return command;
    }

    [LoggerMessage(2153, LogLevel.Information, "Freed {Count} sessions at rest that hosts had open which are none any more.")]
    private partial void LogFreed(int count);

    [LoggerMessage(2154, LogLevel.Warning, "{Count} sessions at rest that dead hosts had open could not be freed; tried again at the next sweep.")]
    private partial void LogNotFreed(Exception failure, int count);
}
