using System.Diagnostics;
using Npgsql;

namespace Coordinator.Bench.Measuring;

/// <summary>
/// What something took: time by the clock, CPU time of this process and of the PostgreSQL below it, bytes allocated here,
/// commits and write-ahead log there. On a machine that is shared, only the clock depends on the others.
/// </summary>
internal sealed record Cost(double Seconds, double CpuSeconds, double OwnCpuSeconds, long Allocated, long Commits, long WalBytes)
{
    public static async Task<Cost> OfAsync(NpgsqlDataSource source, Func<Task> work)
    {
        var (commits, wal) = await StandingAsync(source);
        var (all, own) = (ProcessTree.CpuSeconds(Environment.ProcessId), Environment.CpuUsage.TotalTime.TotalSeconds);
        var (allocated, began) = (GC.GetTotalAllocatedBytes(), Stopwatch.GetTimestamp());
        await work();
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        allocated = GC.GetTotalAllocatedBytes() - allocated;
        (all, own) = (ProcessTree.CpuSeconds(Environment.ProcessId) - all, Environment.CpuUsage.TotalTime.TotalSeconds - own);
        var (commitsAfter, walAfter) = await StandingAsync(source);
        return new(seconds, all, own, allocated, commitsAfter - commits, walAfter - wal);
    }

    /// <summary>The one in the middle by CPU time.</summary>
    public static Cost Median(IEnumerable<Cost> costs)
    {
        var ordered = costs.OrderBy(cost => cost.CpuSeconds).ToList();
        return ordered[ordered.Count / 2];
    }

    /// <summary>The next transaction's number is one more than were given out: every append takes one, and no reading does.</summary>
    private static async Task<(long Commits, long WalBytes)> StandingAsync(NpgsqlDataSource source)
    {
        await using var command = source.CreateCommand("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint, pg_current_wal_insert_lsn() - '0/0'::pg_lsn");
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetInt64(0), (long)reader.GetDecimal(1));
    }
}
