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
    // One hidden for twice as long as anybody hides was hidden by a clock that was ahead, and has gone back since.
    private const string Sql = """
        WITH due AS (
            SELECT org, session FROM session_head
            WHERE wake_at <= now() + $3 AND (hidden_until IS NULL OR hidden_until <= now() OR hidden_until > now() + 2 * $2)
            ORDER BY wake_at LIMIT $1
            FOR UPDATE SKIP LOCKED
        )
        UPDATE session_head AS h SET hidden_until = now() + $2 FROM due
        WHERE h.org = due.org AND h.session = due.session
        RETURNING h.org, h.session, h.wake_at
        """;

    private readonly NpgsqlDataSource system;
    private readonly DatabasePatience patience;

    internal PostgresAlarmClock(SystemDataSource system, IOptions<DatabaseOptions> options, TimeProvider time) =>
        (this.system, patience) = (system.Source, new(system.Source, options.Value.Journal.OutagePatience, time));

    public async ValueTask<IReadOnlyList<SessionKey>> ClaimDueAsync(int limit, TimeSpan ahead, TimeSpan hideFor, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        return await patience.RunAsync("claiming alarms", token => ClaimAsync(limit, ahead, hideFor, token), cancellationToken);
    }

    private async Task<IReadOnlyList<SessionKey>> ClaimAsync(int limit, TimeSpan ahead, TimeSpan hideFor, CancellationToken cancellationToken)
    {
        await using var command = system.CreateCommand(Sql);
        command.Parameters.Add(new() { Value = limit });
        command.Parameters.Add(new() { Value = hideFor });
        command.Parameters.Add(new() { Value = ahead });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var due = new List<(SessionKey Key, DateTimeOffset WakeAt)>();
        while (await reader.ReadAsync(cancellationToken)) due.Add((new(new(reader.GetGuid(0)), new(reader.GetGuid(1))), reader.GetFieldValue<DateTimeOffset>(2)));
        return [.. due.OrderBy(session => session.WakeAt).Select(session => session.Key)]; // RETURNING keeps no order
    }
}
