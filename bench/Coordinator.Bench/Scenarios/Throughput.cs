using System.Diagnostics;
using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>One session as fast as its box may send, to one client; then the replay of all of it, beside a bare store that tells as much.</summary>
internal sealed class Throughput(TimeProvider time, int count = 100_000) : IScenario
{
    private readonly SampleSpeech speech = new(200);

    public string Name => "throughput";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var host = await HostProcess.StartRoleAsync("serve");
        await using var turn = await Turn.BeginAsync(host, cancellationToken);
        await StreamAsync(turn, count / 10, cancellationToken);
        var (allocated, journal, cpu) = ((await host.MemoryAsync(cancellationToken)).Allocated, await host.JournalAsync(cancellationToken), host.CpuSeconds());
        var took = await StreamAsync(turn, count, cancellationToken);
        yield return new("One session, one client", "throughput, durable, 200 bytes of text each", count / took.TotalSeconds, "events/s", Above: 20_000);
        yield return new("One session, one client", "CPU of host and PostgreSQL", (host.CpuSeconds() - cpu) * 1e6 / count, "µs/event");
        yield return new("One session, one client", "journal on disk", ((await host.JournalAsync(cancellationToken)).TableBytes - journal.TableBytes) / (double)count, "bytes/event");
        yield return new("One session, one client", "allocated by the host", ((await host.MemoryAsync(cancellationToken)).Allocated - allocated) / 1024.0 / count, "KB/event");
        await using var store = await StoreCaller.StartAsync(time, cancellationToken);
        foreach (var (events, times, below) in new (int, int, double?)[] { (1_000, 20, null), (5_000, 20, 10), (count, 3, 1_000) })
            await foreach (var one in ReplayLatency.MeasureAsync(host, store, turn.Session, events, times, "written at full speed", below, cancellationToken)) yield return one;
    }

    private async Task<TimeSpan> StreamAsync(Turn turn, int events, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        var taking = turn.Watcher.TakeTextsAsync(turn.Watcher.Texts.Count + events, cancellationToken);
        for (var i = 0; i < events; i++) await turn.Box.SendAsync("agent.text", turn.MessageId, speech.Next(), cancellationToken);
        await taking;
        return Stopwatch.GetElapsedTime(began);
    }
}
