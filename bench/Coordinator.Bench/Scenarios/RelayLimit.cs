using System.Diagnostics;
using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>The same frames through a bare WebSocket relay that keeps nothing: the limit on this machine, now.</summary>
internal sealed class RelayLimit(TimeProvider time, int count = 100_000) : IScenario
{
    private static readonly ReadOnlyMemory<byte> Frame = """{"type":"events","events":[{"cursor":"1.100000","seq":100000,"at":"2026-01-02T03:04:05.678Z","type":"agent.text","messageId":"msg_00000000000000000000000000","data":{"part":"p1","offset":0,"text":"twelve chars"}}]}"""u8.ToArray();

    public string Name => "relay";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var relay = await RelayEnds.StartAsync(watchers: 1, cancellationToken);
        await StreamAsync(relay, count / 10, cancellationToken);

        var latencies = await PacedAsync(relay, 1_000, 5_000, time, cancellationToken);
        yield return new("Limit: a bare relay", "at 1,000/s: p50", latencies.Percentile(50), "ms");
        yield return new("Limit: a bare relay", "at 1,000/s: p99", latencies.Percentile(99), "ms");
        var took = await StreamAsync(relay, count, cancellationToken);
        yield return new("Limit: a bare relay", "throughput, a frame per event", count / took.TotalSeconds, "events/s");
    }

    private static async Task<TimeSpan> StreamAsync(RelayEnds relay, int events, CancellationToken cancellationToken)
    {
        var watcher = relay.Watchers[0];
        var began = Stopwatch.GetTimestamp();
        var taking = watcher.TakeTextsAsync(watcher.Texts.Count + events, cancellationToken);
        for (var i = 0; i < events; i++) await relay.Into.SendAsync(Frame, cancellationToken);
        await taking;
        return Stopwatch.GetElapsedTime(began);
    }

    /// <summary>Frames at a steady rate through the relay.</summary>
    internal static async Task<Latencies> PacedAsync(RelayEnds relay, int rate, int events, TimeProvider time, CancellationToken cancellationToken, Func<int, ReadOnlyMemory<byte>>? make = null)
    {
        var watcher = relay.Watchers[0];
        var first = watcher.Texts.Count;
        var sent = new long[events];
        var taking = watcher.TakeTextsAsync(first + events, cancellationToken);
        await Pace.RunAsync(rate, events, time, async i =>
        {
            var frame = make is null ? Frame : make(i);
            sent[i] = Stopwatch.GetTimestamp();
            await relay.Into.SendAsync(frame, cancellationToken);
        }, cancellationToken);
        await taking;
        var latencies = new Latencies();
        for (var i = 0; i < events; i++) latencies.Add(sent[i], watcher.Texts[first + i]);
        return latencies;
    }
}
