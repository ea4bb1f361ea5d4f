using System.Diagnostics;
using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>One session as fast as its box may send, to one client; then the replay of all of it.</summary>
internal sealed class Throughput(int count = 100_000) : IScenario
{
    public string Name => "throughput";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var host = await HostProcess.StartRoleAsync("serve");
        await using var turn = await Turn.BeginAsync(host, cancellationToken);
        await StreamAsync(turn, count / 10, cancellationToken);
        var allocated = (await host.MemoryAsync(cancellationToken)).Allocated;
        var took = await StreamAsync(turn, count, cancellationToken);
        yield return new("One session, one client", "throughput, durable", count / took.TotalSeconds, "events/s");
        yield return new("One session, one client", "allocated by the host", ((await host.MemoryAsync(cancellationToken)).Allocated - allocated) / 1024.0 / count, "KB/event");
        yield return await ReplayLatency.MeasureAsync(host, turn.Session, 5_000, "written at full speed", cancellationToken);
        yield return await ReplayLatency.MeasureAsync(host, turn.Session, count, "written at full speed", cancellationToken);
    }

    private static async Task<TimeSpan> StreamAsync(Turn turn, int events, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        var taking = turn.Watcher.TakeTextsAsync(turn.Watcher.Texts.Count + events, cancellationToken);
        for (var i = 0; i < events; i++) await turn.Box.SendAsync("agent.text", turn.MessageId, """{"part":"p1","offset":0,"text":"twelve chars"}""", cancellationToken);
        await taking;
        return Stopwatch.GetElapsedTime(began);
    }
}
