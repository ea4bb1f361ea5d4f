using System.Diagnostics;
using System.Globalization;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>What a client that was away takes from its handshake to the last event it missed.</summary>
internal static class ReplayLatency
{
    public static async Task<Measurement> MeasureAsync(HostProcess host, string session, int events, string how, CancellationToken cancellationToken)
    {
        using var present = await SessionWatcher.ConnectAsync(host, session, null, cancellationToken);
        var head = present.Start.Split('.');
        var seq = long.Parse(head[1], CultureInfo.InvariantCulture);
        var took = new Latencies();
        for (var i = 0; i < 3; i++)
        {
            var began = Stopwatch.GetTimestamp();
            using var watcher = await SessionWatcher.ConnectAsync(host, session, string.Create(CultureInfo.InvariantCulture, $"{head[0]}.{seq - events}"), cancellationToken);
            await watcher.UntilSeqAsync(seq, cancellationToken);
            took.Add(began, Stopwatch.GetTimestamp());
        }

        return new("Reconnect and replay", string.Create(CultureInfo.InvariantCulture, $"{events:N0} events {how}"), took.Percentile(50), "ms");
    }
}
