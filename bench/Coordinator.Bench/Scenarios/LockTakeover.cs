using System.Diagnostics;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;
using Coordinator.Bench.Serving;
using Coordinator.Ports;
using Npgsql;

namespace Coordinator.Bench.Scenarios;

/// <summary>
/// The limit of a takeover: a bare process holds an advisory lock and is killed; from that moment until a peer, which waits for the lock
/// over a connection of its own, has it and has written one row.
/// </summary>
internal static class LockTakeover
{
    public static async Task<Latencies> MeasureAsync(NpgsqlDataSource database, int times, TimeProvider time, CancellationToken cancellationToken)
    {
        var latencies = new Latencies();
        for (var i = 0; i < times; i++)
        {
            await using var holder = await HostProcess.StartRoleAsync("hold", database.ConnectionString);
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            await using var insert = new BareInsert(await database.OpenConnectionAsync(cancellationToken));
            await insert.WriteAsync([SessionId.New(time).Value], 0, SampleRecord.Bytes, cancellationToken); // its statement is prepared as a host's is
            var taking = TakeAsync(connection, insert, time, cancellationToken);
            await WaitingAsync(database, time, cancellationToken);
            var began = Stopwatch.GetTimestamp();
            var killing = holder.KillAsync();
            latencies.Add(began, await taking);
            await killing;
            await using var release = new NpgsqlCommand($"SELECT pg_advisory_unlock({LockHolder.Lock})", connection);
            await release.ExecuteNonQueryAsync(cancellationToken);
        }

        return latencies;
    }

    private static async Task<long> TakeAsync(NpgsqlConnection connection, BareInsert insert, TimeProvider time, CancellationToken cancellationToken)
    {
        await using (var take = new NpgsqlCommand($"SELECT pg_advisory_lock({LockHolder.Lock})", connection)) await take.ExecuteNonQueryAsync(cancellationToken);
        await insert.WriteAsync([SessionId.New(time).Value], 0, SampleRecord.Bytes, cancellationToken);
        return Stopwatch.GetTimestamp();
    }

    /// <summary>Until the peer waits for the lock.</summary>
    private static async Task WaitingAsync(NpgsqlDataSource database, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var look = database.CreateCommand($"SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = {LockHolder.Lock} AND NOT granted)");
        while (await look.ExecuteScalarAsync(cancellationToken) is not true) await Task.Delay(TimeSpan.FromMilliseconds(5), time, cancellationToken);
    }
}
