using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;
using Coordinator.Bench.Serving;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Bench.Scenarios;

/// <summary>How long an append takes at a steady rate: many sessions that share statements, and one alone beside a bare insert of its row.</summary>
internal sealed class PacedAppend(TimeProvider time, int sessions = 500) : IScenario
{
    public string Name => "paced";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var bare = await BareJournal.StartAsync(cancellationToken);
        await AppendAsync(bare, 500, 5_000, 5_000, cancellationToken); // warm-up
        var many = await AppendAsync(bare, sessions, 5_000, 25_000, cancellationToken);
        yield return new($"Append over {sessions} sessions at 5,000/s", "p50", many.Percentile(50), "ms");
        yield return new($"Append over {sessions} sessions at 5,000/s", "p99", many.Percentile(99), "ms", 15);
        var one = await AppendAsync(bare, 1, 200, 2_000, cancellationToken);
        yield return new("Append of one session at 200/s", "p50", one.Percentile(50), "ms");
        yield return new("Append of one session at 200/s", "p99", one.Percentile(99), "ms");
        await InsertAsync(bare, 200, 200, time, cancellationToken);
        var row = await InsertAsync(bare, 200, 2_000, time, cancellationToken);
        yield return new("Limit: a bare insert of one row at 200/s", "p50", row.Percentile(50), "ms");
        yield return new("Limit: a bare insert of one row at 200/s", "p99", row.Percentile(99), "ms");
    }

    /// <summary>What is due of a session while its last append is in flight waits for it, and the wait counts.</summary>
    private async Task<Latencies> AppendAsync(BareJournal bare, int over, int rate, int count, CancellationToken cancellationToken)
    {
        var leases = await bare.OpenAsync(over, time, cancellationToken);
        var done = new ConcurrentBag<(long From, long To)>();
        var last = leases.Select(lease => Task.FromResult(lease.Version)).ToArray();
        await Pace.RunAsync(rate, count, time, i =>
        {
            var session = i % over;
            last[session] = AppendAsync(bare.Journal, leases[session], last[session], Stopwatch.GetTimestamp(), done, cancellationToken);
            return ValueTask.CompletedTask;
        }, cancellationToken);
        await Task.WhenAll(last);
        var latencies = new Latencies();
        foreach (var (from, to) in done) latencies.Add(from, to);
        return latencies;
    }

    private async Task<long> AppendAsync(ISessionJournal journal, JournalLease lease, Task<long> before, long began, ConcurrentBag<(long From, long To)> done, CancellationToken cancellationToken)
    {
        var version = await before;
        if (!await journal.AppendAsync(lease, new(version, SampleRecord.Bytes, 1, time.GetUtcNow(), null, null), cancellationToken)) throw new InvalidOperationException("An append was fenced.");
        done.Add((began, Stopwatch.GetTimestamp()));
        return version + 1;
    }

    /// <summary>One row after another at a steady rate, each durable before the next.</summary>
    internal static async Task<Latencies> InsertAsync(BareJournal bare, int rate, int count, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var insert = new BareInsert(await bare.Source.OpenConnectionAsync(cancellationToken));
        var (ids, latencies) = (new[] { SessionId.New(time).Value }, new Latencies());
        await Pace.RunAsync(rate, count, time, async i =>
        {
            var began = Stopwatch.GetTimestamp();
            await insert.WriteAsync(ids, i, SampleRecord.Bytes, cancellationToken);
            latencies.Add(began, Stopwatch.GetTimestamp());
        }, cancellationToken);
        return latencies;
    }
}
