using Npgsql;

namespace Coordinator.Bench.Serving;

/// <summary>A process that does nothing but hold an advisory lock, as each host holds one for as long as it lives.</summary>
internal static class LockHolder
{
    /// <summary>The lock that is held.</summary>
    public const int Lock = 20_261_123;

    public static async Task<int> RunAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var take = new NpgsqlCommand($"SELECT pg_advisory_lock({Lock})", connection);
        await take.ExecuteNonQueryAsync();
        await Console.Out.WriteLineAsync("Sign in: http://127.0.0.1/#sl_none");
        while (await Console.In.ReadLineAsync() is not null) continue;
        return 0;
    }
}
