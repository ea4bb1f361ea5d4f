using Npgsql;

namespace Coordinator.Bench.Driving;

/// <summary>The database of a running host or store, as its administrator, whom no row-level security binds.</summary>
internal static class Administration
{
    public static async Task<NpgsqlDataSource> OpenAsync(HostProcess host, CancellationToken cancellationToken) => NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder
    {
        Host = await host.SocketFolderAsync(cancellationToken),
        Username = "postgres",
        Database = "coordinator",
        Pooling = false,
        CommandTimeout = 0,
    });

    /// <summary>What a database does about many new rows, done now, and not while something is measured.</summary>
    public static async Task SettleAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        foreach (var settling in new[] { "VACUUM (ANALYZE)", "CHECKPOINT" })
        {
            await using var command = source.CreateCommand(settling);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}
