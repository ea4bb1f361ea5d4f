using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Alarms;

/// <summary>
/// Reads the wake-ups that appends wrote, by the database's clock. Hosts that ask at once get different sessions: a row
/// somebody is writing or claiming is passed over and met by the next sweep.
/// </summary>
public sealed class PostgresAlarmClock : IAlarmClock
{
    // One hidden for twice as long as anybody hides was hidden by a clock that was ahead, and has gone back since. Of a
    // host that has been dead for longer than is looked ahead, everything that counted ahead of its time is due by now.
    //
    // What another live host has is left to it, since a claim by anybody else is only told whose it is. A beat that lies
    // ahead is from before the database's clock was set back, and may be the last one of a host that hangs: until the host
    // is heard anew its sessions are handed out, and whoever claims them sees by its own clock whether it is.
    private const string ClaimSql = """
        WITH living AS MATERIALIZED (
            SELECT id FROM session_host AS here WHERE NOT dead AND beat <= clock_timestamp() AND host_alive(here)
        ), due AS (
            SELECT org, session FROM session_head
            WHERE wake_at <= now() + greatest($3, $4) AND (hidden_until IS NULL OR hidden_until <= now() OR hidden_until > now() + 2 * $2)
                AND (host IS NULL OR host = $5 OR host <> ALL (ARRAY(SELECT id FROM living)))
                AND (wake_at <= now()
                    OR (wake_at <= now() + $3 AND host = ANY (ARRAY(SELECT id FROM session_host AS gone WHERE beat > now() - time_to_live - $3 AND NOT host_alive(gone))))
                    OR (wake_at <= now() + $4 AND (host IS NULL OR host <> ALL (ARRAY(SELECT id FROM living)))))
            ORDER BY wake_at LIMIT $1
            FOR UPDATE SKIP LOCKED
        )
        UPDATE session_head AS h SET hidden_until = now() + $2 FROM due
        WHERE h.org = due.org AND h.session = due.session
        RETURNING h.org, h.session, h.wake_at
        """;

    private const string UnhideSql = """
        WITH hidden AS (
            SELECT org, session FROM session_head
            WHERE wake_at IS NOT NULL AND hidden_until > now() AND (host IS NULL OR host <> ALL (ARRAY(SELECT id FROM session_host AS here WHERE NOT dead AND host_alive(here))))
            FOR UPDATE SKIP LOCKED
        )
        UPDATE session_head AS h SET hidden_until = NULL FROM hidden
        WHERE h.org = hidden.org AND h.session = hidden.session
        """;

    private readonly NpgsqlDataSource system;
    private readonly DatabasePatience patience;

    internal PostgresAlarmClock(SystemDataSource system, IOptions<DatabaseOptions> options, TimeProvider time) =>
        (this.system, patience) = (system.Source, new(system.Source, options.Value.Journal.OutagePatience, time));

    public async ValueTask<IReadOnlyList<SessionKey>> ClaimDueAsync(HostId host, int limit, LookAhead ahead, TimeSpan hideFor, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        return await patience.RunAsync("claiming alarms", token => ClaimAsync(host, limit, ahead, hideFor, token), cancellationToken);
    }

    public async ValueTask UnhideAsync(CancellationToken cancellationToken) => await patience.RunAsync(
        "looking at alarms anew",
        async token =>
        {
            await using var command = system.CreateCommand(UnhideSql);
            return await command.ExecuteNonQueryAsync(token);
        },
        cancellationToken);

    private async Task<IReadOnlyList<SessionKey>> ClaimAsync(HostId host, int limit, LookAhead ahead, TimeSpan hideFor, CancellationToken cancellationToken)
    {
        await using var command = system.CreateCommand(ClaimSql);
        command.Parameters.Add(new() { Value = limit });
        command.Parameters.Add(new() { Value = hideFor });
        command.Parameters.Add(new() { Value = ahead.OfDeadHosts });
        command.Parameters.Add(new() { Value = ahead.OfNobody });
        command.Parameters.Add(new() { Value = host.Value });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var due = new List<(SessionKey Key, DateTimeOffset WakeAt)>();
        while (await reader.ReadAsync(cancellationToken)) due.Add((new(new(reader.GetGuid(0)), new(reader.GetGuid(1))), reader.GetFieldValue<DateTimeOffset>(2)));
        return [.. due.OrderBy(session => session.WakeAt).Select(session => session.Key)]; // RETURNING keeps no order
    }
}
