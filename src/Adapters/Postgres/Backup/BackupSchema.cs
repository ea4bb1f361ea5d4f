using Npgsql;

namespace Coordinator.Adapters.Postgres.Backup;

/// <summary>
/// Which tables a backup holds: every one there is, by the catalog, so that a later migration's are in it without anybody's
/// doing. Left out are the steps of the schema, which the manifest names, the hosts, which are those of another time, and
/// where the database is.
/// </summary>
internal static class BackupSchema
{
    private const string Migrations = "schema_migration";
    private const string Hosts = "session_host";
    private const string Timeline = "database_timeline";

    private const string TablesSql = $"""
        SELECT class.relname::text, array_agg(attribute.attname::text ORDER BY attribute.attnum)
        FROM pg_class AS class JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped AND attribute.attgenerated = ''
        WHERE class.relkind = 'r' AND class.relnamespace = current_schema()::regnamespace AND class.relname NOT IN ('{Migrations}', '{Hosts}', '{Timeline}')
        GROUP BY class.relname ORDER BY class.relname
        """;

    private const string ReferencesSql = """
        SELECT DISTINCT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
        WHERE contype = 'f' AND conrelid <> confrelid AND connamespace = current_schema()::regnamespace
        """;

    /// <summary>Each table with its columns, those that others refer to first.</summary>
    public static async Task<IReadOnlyList<(string Table, string[] Columns)>> TablesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var tables = await RowsAsync(connection, TablesSql, row => (Table: row.GetString(0), Columns: row.GetFieldValue<string[]>(1)), cancellationToken);
        var references = await RowsAsync(connection, ReferencesSql, row => (From: row.GetString(0), To: row.GetString(1)), cancellationToken);
        var ordered = new List<(string Table, string[] Columns)>();
        while (tables.Count > 0)
        {
            var free = tables.FindIndex(table => !references.Any(reference => reference.From == table.Table && tables.Exists(other => other.Table == reference.To)));
            if (free < 0) throw new InvalidOperationException($"Tables refer to each other in a circle: {string.Join(", ", tables.Select(table => table.Table))}.");
            ordered.Add(tables[free]);
            tables.RemoveAt(free);
        }

        return ordered;
    }

    public static Task<List<BackupMigration>> MigrationsAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        RowsAsync(connection, $"SELECT number, name, checksum FROM {Migrations} ORDER BY number", row => new BackupMigration(row.GetInt32(0), row.GetString(1), row.GetString(2)), cancellationToken);

    private static async Task<List<T>> RowsAsync<T>(NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken)) rows.Add(read(reader));
        return rows;
    }
}
