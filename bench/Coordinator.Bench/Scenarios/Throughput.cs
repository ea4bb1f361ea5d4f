using System.Diagnostics;
using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>One session as fast as its box may send, to one client, beside a bare durable relay; then the replay of all of it, beside a bare store that tells as much.</summary>
internal sealed class Throughput(TimeProvider time, int count = 100_000) : IScenario
{
    private const string Area = "One session, one client";

    private const int Turns = 3;

    private readonly SampleSpeech speech = new(200);

    public string Name => "throughput";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var host = await HostProcess.StartRoleAsync("serve");
        await using var turn = await Turn.BeginAsync(host, cancellationToken);
        await foreach (var one in StreamAsync(host, turn, cancellationToken)) yield return one;
        await using var store = await StoreCaller.StartAsync(time, cancellationToken);
        foreach (var (events, times, below) in new (int, int, double?)[] { (1_000, 20, null), (5_000, 20, 10), (count, 3, 1_000) })
            await foreach (var one in ReplayLatency.MeasureAsync(host, store, turn.Session, events, times, "written at full speed", below, cancellationToken)) yield return one;
    }

    /// <summary>Turn by turn with its limit, a bare durable relay as fast as it goes, and with one that groups nothing but its commits.</summary>
    private async IAsyncEnumerable<Measurement> StreamAsync(HostProcess host, Turn turn, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var limit = await DurableRelayLimit.StartAsync(time, cancellationToken);
        await using var each = await DurableRelayLimit.StartAsync(time, cancellationToken, "/in/each");
        await StreamAsync(turn, count / 10, cancellationToken); // warm-up
        await limit.StreamAsync(count / 10, cancellationToken);
        await each.StreamAsync(count / 10, cancellationToken);
        var (allocated, journal) = ((await host.MemoryAsync(cancellationToken)).Allocated, await host.JournalAsync(cancellationToken));
        var ours = new TurnTaker(host, () => StreamAsync(turn, count / Turns, cancellationToken));
        var bare = new TurnTaker(limit.Process, () => limit.StreamAsync(count / Turns, cancellationToken));
        var apart = new TurnTaker(each.Process, () => each.StreamAsync(count / Turns, cancellationToken));
        await TurnTaker.TakeTurnsAsync(Turns, ours, bare, apart);
        var events = (double)(count / Turns * Turns);
        yield return new(Area, "throughput, durable, 200 bytes of text each", events / ours.Took.Seconds, "events/s", Above: 20_000);
        yield return new(Area, "CPU of host and PostgreSQL", ours.CpuSeconds * 1e6 / events, "µs/event");
        yield return new(Area, "journal on disk", ((await host.JournalAsync(cancellationToken)).TableBytes - journal.TableBytes) / events, "bytes/event");
        yield return new(Area, "allocated by the host", ((await host.MemoryAsync(cancellationToken)).Allocated - allocated) / 1024.0 / events, "KB/event");
        foreach (var (name, other) in new[] { (DurableRelayLimit.Together, bare), (DurableRelayLimit.Each, apart) })
        {
            yield return new(Area, $"limit, {name}", events / other.Took.Seconds, "events/s");
            yield return new(Area, $"limit, {name}: CPU", other.CpuSeconds * 1e6 / events, "µs/event");
            yield return new(Area, $"against {name}", ours.Took.RateAgainst(other.Took), "ratio");
            yield return new(Area, $"against {name}, by CPU time", other.CpuSeconds / ours.CpuSeconds, "ratio");
        }
    }

    private async Task<Latencies> StreamAsync(Turn turn, int events, CancellationToken cancellationToken)
    {
        var (latencies, began) = (new Latencies(), Stopwatch.GetTimestamp());
        var taking = turn.Watcher.TakeTextsAsync(turn.Watcher.Texts.Count + events, cancellationToken);
        for (var i = 0; i < events; i++) await turn.Box.SendAsync("agent.text", turn.MessageId, speech.Next(), cancellationToken);
        await taking;
        latencies.Add(began, Stopwatch.GetTimestamp());
        return latencies;
    }
}
