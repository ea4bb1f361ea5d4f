using Coordinator.Ports;
using Coordinator.Ports.Session;
using Npgsql;
using NpgsqlTypes;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>Finds out which appends of a group took place, when the statement wrote fewer than it was given or its answer was lost.</summary>
internal static class CommitSettlement
{
    /// <summary>Ends the server process that had the statement, so that it cannot commit after the look, then looks.</summary>
    public static async Task LookAsync(NpgsqlDataSource source, ServerProcess process, IReadOnlyList<PendingAppend> group, bool[] written, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await process.EndAsync(connection, cancellationToken);
        await LookAsync(connection, group, written, cancellationToken);
    }

    /// <summary>
    /// Looks, once the statement is over, which <paramref name="count"/> of the group it wrote. A lease that appended to a version that it had
    /// written before is told so by what was written.
    /// </summary>
    public static async Task LookAsync(NpgsqlDataSource source, int count, IReadOnlyList<PendingAppend> group, bool[] written)
    {
        await using var connection = await source.OpenConnectionAsync();
        await LookAsync(connection, group, written, default);
        var found = written.Count(isThere => isThere);
        if (found < count) throw new PortException(PortFailureKind.Corrupt, $"Of {group.Count} appends the database wrote {count}, and {found} are there.", effectMayHaveHappened: true);
    }

    /// <summary>For each record by its version and the epoch that wrote it, which nobody else can have written, and by what it says.</summary>
    private static async Task LookAsync(NpgsqlConnection connection, IReadOnlyList<PendingAppend> group, bool[] written, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT w.position FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS w (org, session, version, epoch, payload, position)
            JOIN session_record AS r ON r.org = w.org AND r.session = w.session AND r.version = w.version AND r.epoch = w.epoch AND r.payload = w.payload
            """,
            connection)
        {
            Parameters =
            {
                Array(group, pending => pending.Lease.Key.Organization.Value, NpgsqlDbType.Uuid),
                Array(group, pending => pending.Lease.Key.Session.Value, NpgsqlDbType.Uuid),
                Array(group, pending => pending.Append.ExpectedVersion + 1, NpgsqlDbType.Bigint),
                Array(group, pending => pending.Lease.Epoch, NpgsqlDbType.Bigint),
                Array(group, pending => pending.Append.Payload, NpgsqlDbType.Bytea),
            },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken)) written[(int)reader.GetInt64(0) - 1] = true;
    }

    private static NpgsqlParameter<T[]> Array<T>(IReadOnlyList<PendingAppend> group, Func<PendingAppend, T> column, NpgsqlDbType type) =>
        new() { TypedValue = [.. group.Select(column)], NpgsqlDbType = NpgsqlDbType.Array | type };
}
