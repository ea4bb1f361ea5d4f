using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>One session whose events go to many clients: until the last of them has the last event. Before that, what the idle sockets hold.</summary>
internal sealed class FanOut(TimeProvider time) : IScenario
{
    public string Name => "fanout";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var (clients, events, above) in new (int, int, double?)[] { (20, 50_000, 200_000), (1_000, 2_000, null) })
        {
            await using var host = await HostProcess.StartRoleAsync("serve");
            await using var turn = await Turn.BeginAsync(host, cancellationToken);
            await Task.Delay(TimeSpan.FromSeconds(2), time, cancellationToken);
            var before = host.Megabytes();
            var watchers = new List<SessionWatcher>();
            for (var i = 0; i < clients; i++) watchers.Add(await SessionWatcher.ConnectAsync(host, turn.Session, null, cancellationToken));
            var area = string.Create(CultureInfo.InvariantCulture, $"One session, {clients:N0} clients");
            if (clients >= 1_000) yield return new(area, "memory of an idle socket (PSS, shared out)", (host.Megabytes() - before) * 1_024 / clients, "KB", 100);
            var speech = new SampleSpeech(200);
            await StreamAsync(turn, speech, watchers, events / 5, cancellationToken);
            var cpu = host.CpuSeconds();
            var took = await StreamAsync(turn, speech, watchers, events, cancellationToken);
            var deliveries = (double)events * clients;
            yield return new(area, "throughput, durable", deliveries / took.TotalSeconds, "deliveries/s", Above: above);
            yield return new(area, "CPU of host and PostgreSQL", (host.CpuSeconds() - cpu) * 1e6 / deliveries, "µs/delivery");
            foreach (var watcher in watchers) watcher.Dispose();
        }
    }

    private static async Task<TimeSpan> StreamAsync(Turn turn, SampleSpeech speech, List<SessionWatcher> watchers, int events, CancellationToken cancellationToken)
    {
        var mark = string.Create(CultureInfo.InvariantCulture, $"end of {Stopwatch.GetTimestamp()}");
        var began = Stopwatch.GetTimestamp();
        var taking = Task.WhenAll(watchers.Append(turn.Watcher).Select(watcher => watcher.UntilAsync("events", mark, cancellationToken)));
        for (var i = 1; i < events; i++) await turn.Box.SendAsync("agent.text", turn.MessageId, speech.Next(), cancellationToken);
        await turn.Box.SendAsync("agent.text", turn.MessageId, speech.Say(mark), cancellationToken);
        await taking;
        return Stopwatch.GetElapsedTime(began);
    }
}
