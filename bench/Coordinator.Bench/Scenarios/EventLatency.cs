using System.Globalization;
using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>
/// From a box's event, handed to its socket, to the client that has it, durable on the way, at steady rates, turn by turn with its limit,
/// a bare durable relay. Then what a client that was away takes to read what was written at 1,000 events a second, where records are small.
/// </summary>
internal sealed class EventLatency(TimeProvider time) : IScenario
{
    private const int Missed = 5_000;

    /// <summary>Few and long: the first events of each find a machine that has just done something else.</summary>
    private const int Turns = 2;

    public string Name => "events";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var store = await StoreCaller.StartAsync(time, cancellationToken);
        await using var host = await HostProcess.StartRoleAsync("serve");
        await using var turn = await Turn.BeginAsync(host, cancellationToken);
        await using var limit = await DurableRelayLimit.StartAsync(time, cancellationToken);
        await StreamAsync(turn, 1_000, 5_000, cancellationToken); // warm-up: the code is compiled for good
        await limit.PacedAsync(1_000, 5_000, cancellationToken);
        foreach (var (rate, count, p50, p99) in new (int, int, double?, double?)[] { (50, 500, null, null), (200, 2_000, null, null), (1_000, 10_000, 5, 20), (5_000, 25_000, null, null), (10_000, 50_000, null, null) })
        {
            var allocated = (await host.MemoryAsync(cancellationToken)).Allocated;
            var journal = await host.JournalAsync(cancellationToken);
            var ours = new TurnTaker(host, () => StreamAsync(turn, rate, count / Turns, cancellationToken));
            var bare = new TurnTaker(limit.Process, () => limit.PacedAsync(rate, count / Turns, cancellationToken));
            await TurnTaker.TakeTurnsAsync(Turns, ours, bare);
            var after = await host.JournalAsync(cancellationToken);
            var area = string.Create(CultureInfo.InvariantCulture, $"Box event to client at {rate:N0}/s");
            yield return new(area, "p50", ours.Took.Percentile(50), "ms", p50);
            yield return new(area, "p99", ours.Took.Percentile(99), "ms", p99);
            foreach (var one in ours.Took.Beside(bare.Took, area, DurableRelayLimit.Together, 50, 99)) yield return one;
            yield return new(area, "allocated by the host", ((await host.MemoryAsync(cancellationToken)).Allocated - allocated) / 1024.0 / count, "KB/event");
            yield return new(area, "CPU of host and PostgreSQL", ours.CpuSeconds * 1e6 / count, "µs/event");
            yield return new(area, $"limit, {DurableRelayLimit.Together}: CPU", bare.CpuSeconds * 1e6 / count, "µs/event");
            yield return new(area, $"against {DurableRelayLimit.Together}, by CPU time", ours.CpuSeconds / bare.CpuSeconds, "times");
            yield return new(area, "events in a commit", count / (double)(after.Commits - journal.Commits), "events");
            yield return new(area, "journal on disk", (after.TableBytes - journal.TableBytes) / (double)count, "bytes/event");
            yield return new(area, "write-ahead log", (after.WalBytes - journal.WalBytes) / (double)count, "bytes/event");
            if (rate != 1_000) continue;
            await foreach (var one in ReplayLatency.MeasureAsync(host, store, turn.Session, Missed, 20, "written at 1,000/s", 10, cancellationToken)) yield return one;
        }

        turn.Watcher.Dispose(); // one client at a time: who does not read is closed as too slow
        var streamed = await OverEventStreamAsync(host, turn, cancellationToken);
        yield return new("Box event to client at 1,000/s, over SSE", "p50", streamed.Percentile(50), "ms");
        yield return new("Box event to client at 1,000/s, over SSE", "p99", streamed.Percentile(99), "ms");
        await foreach (var one in FromTheJournalAsync(store, cancellationToken)) yield return one;
    }

    /// <summary>
    /// The same reconnect where nothing is left in memory: behind a restart, where the compiler takes as much of the host's time as the reading, and
    /// at a host that has read for as long as it takes until its code is compiled for good, as one has that takes over. The target is on the latter; the former
    /// stands beside it without one, as the first prompts of a host that has just started do.
    /// </summary>
    private async IAsyncEnumerable<Measurement> FromTheJournalAsync(StoreCaller store, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var host = await HostProcess.StartRoleAsync("serve", "--Sessions:Host:RecentBytes=0");
        await using var turn = await Turn.BeginAsync(host, cancellationToken);
        await StreamAsync(turn, 1_000, Missed + 1_000, cancellationToken);
        foreach (var (who, warmUp, below) in new[] { ("by a host that has just started", 3, null), ("by a host that has read for a while", 200, (double?)10) })
            await foreach (var one in ReplayLatency.MeasureAsync(host, store, turn.Session, Missed, 20, $"written at 1,000/s, read from the journal {who}", below, cancellationToken, warmUp)) yield return one;
    }

    /// <summary>The same over server-sent events.</summary>
    private async Task<Latencies> OverEventStreamAsync(HostProcess host, Turn turn, CancellationToken cancellationToken)
    {
        using var head = await SessionWatcher.ConnectAsync(host, turn.Session, null, cancellationToken);
        using var watcher = await EventStreamWatcher.ConnectAsync(host, turn.Session, head.Start, cancellationToken);
        await StreamAsync(turn, 1_000, 1_000, watcher.Texts, watcher.TakeTextsAsync, time, cancellationToken);
        return await StreamAsync(turn, 1_000, 5_000, watcher.Texts, watcher.TakeTextsAsync, time, cancellationToken);
    }

    private Task<Latencies> StreamAsync(Turn turn, int rate, int count, CancellationToken cancellationToken) => StreamAsync(turn, rate, count, time, cancellationToken);

    /// <summary>Events of the turn's box at a steady rate, to the turn's own client.</summary>
    internal static Task<Latencies> StreamAsync(Turn turn, int rate, int count, TimeProvider time, CancellationToken cancellationToken) =>
        StreamAsync(turn, rate, count, turn.Watcher.Texts, turn.Watcher.TakeTextsAsync, time, cancellationToken);

    private static async Task<Latencies> StreamAsync(Turn turn, int rate, int count, List<long> arrivals, Func<int, CancellationToken, Task> takeAsync, TimeProvider time, CancellationToken cancellationToken)
    {
        var first = arrivals.Count;
        var sent = new long[count];
        var taking = takeAsync(first + count, cancellationToken);
        await Pace.RunAsync(rate, count, time, async i => sent[i] = await turn.Box.SendAsync("agent.text", turn.MessageId, string.Create(CultureInfo.InvariantCulture, $$"""{"part":"p1","offset":{{i * 12}},"text":"twelve chars"}"""), cancellationToken), cancellationToken);
        await taking;
        var latencies = new Latencies();
        for (var i = 0; i < count; i++) latencies.Add(sent[i], arrivals[first + i]);
        return latencies;
    }
}
