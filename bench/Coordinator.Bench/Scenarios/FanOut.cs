using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>
/// One session whose events go to many clients: until the last of them has the last event. Before that, what the idle sockets hold, and those
/// of its limit. Turn by turn with it, that limit: what a client was told, frame by frame, through a bare relay to as many.
/// </summary>
internal sealed class FanOut(TimeProvider time, int turns = 3) : IScenario
{
    private const string Limit = "a bare relay of the same frames";

    public string Name => "fanout";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var (clients, events, above) in new (int, int, double?)[] { (20, 50_000, 200_000), (1_000, 2_000, null) })
        {
            await using var relay = await RelayEnds.StartAsync(watchers: 1, cancellationToken); // the turn has a client too
            await using var host = await HostProcess.StartRoleAsync("serve");
            await using var turn = await Turn.BeginAsync(host, cancellationToken);
            await Task.Delay(TimeSpan.FromSeconds(2), time, cancellationToken);
            var (before, relayBefore) = (host.Megabytes(), relay.Process.Megabytes());
            var watchers = new List<SessionWatcher>();
            for (var i = 0; i < clients; i++) watchers.Add(await SessionWatcher.ConnectAsync(host, turn.Session, null, cancellationToken));
            var held = host.Megabytes() - before;
            var area = string.Create(CultureInfo.InvariantCulture, $"One session, {clients:N0} clients");
            await relay.ConnectAsync(clients, cancellationToken);
            if (clients >= 1_000)
            {
                yield return new(area, "memory of an idle socket (PSS, shared out)", held * 1_024 / clients, "KB", 100);
                yield return new(area, "limit, a bare relay: memory of an idle socket (PSS, shared out)", (relay.Process.Megabytes() - relayBefore) * 1_024 / clients, "KB");
            }

            var audience = new Audience(turn, watchers, relay);
            await TakeTurnsAsync(audience, 1, events / 5, cancellationToken); // warm-up
            var (cpu, relayCpu, frames) = (host.CpuSeconds(), relay.Process.CpuSeconds(), audience.Frames);
            var (told, relayed) = await TakeTurnsAsync(audience, turns, events, cancellationToken);
            (cpu, relayCpu, frames) = (host.CpuSeconds() - cpu, relay.Process.CpuSeconds() - relayCpu, audience.Frames - frames);
            var deliveries = (double)events * clients * turns;
            yield return new(area, "throughput, durable", deliveries / told.Seconds, "deliveries/s", Above: above);
            yield return new(area, "CPU of host and PostgreSQL", cpu * 1e6 / deliveries, "µs/delivery");
            yield return new(area, "events in a frame", events * turns / (double)frames, "events");
            yield return new(area, $"limit, {Limit}", deliveries / relayed.Seconds, "deliveries/s");
            yield return new(area, $"limit, {Limit}: CPU", relayCpu * 1e6 / deliveries, "µs/delivery");
            yield return new(area, $"against {Limit}", told.RateAgainst(relayed), "ratio");
            yield return new(area, $"against {Limit}, by CPU time", relayCpu / cpu, "ratio");
            foreach (var watcher in watchers) watcher.Dispose();
        }
    }

    private static async Task<(Latencies Told, Latencies Relayed)> TakeTurnsAsync(Audience audience, int turns, int events, CancellationToken cancellationToken)
    {
        var took = await Latencies.InTurnsAsync(turns, 1, () => audience.TellAsync(events, cancellationToken), () => audience.RelayAsync(cancellationToken));
        return (took[0], took[1]);
    }

    /// <summary>The clients of the session, and as many of the relay, which are sent what one of the former was last told.</summary>
    private sealed class Audience(Turn turn, List<SessionWatcher> watchers, RelayEnds relay)
    {
        private readonly SampleSpeech speech = new(200);
        private readonly List<byte[]> told = [];
        private string mark = string.Empty;

        /// <summary>That the session has told each of them so far.</summary>
        public int Frames { get; private set; }

        public async Task TellAsync(int events, CancellationToken cancellationToken)
        {
            mark = string.Create(CultureInfo.InvariantCulture, $"end of {Stopwatch.GetTimestamp()}");
            told.Clear();
            var taking = Task.WhenAll([.. watchers.Select(watcher => watcher.UntilAsync("events", mark, cancellationToken)), turn.Watcher.UntilAsync("events", mark, cancellationToken, told)]);
            for (var i = 1; i < events; i++) await turn.Box.SendAsync("agent.text", turn.MessageId, speech.Next(), cancellationToken);
            await turn.Box.SendAsync("agent.text", turn.MessageId, speech.Say(mark), cancellationToken);
            await taking;
            Frames += told.Count;
        }

        public async Task RelayAsync(CancellationToken cancellationToken)
        {
            var taking = Task.WhenAll(relay.Watchers.Select(watcher => watcher.UntilAsync("events", mark, cancellationToken)));
            foreach (var frame in told) await relay.Into.SendAsync(frame, cancellationToken);
            await taking;
        }
    }
}
