using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>What a client that was away takes from its handshake to the last event it missed, and what that computes at the host.</summary>
internal static class ReplayLatency
{
    public static async IAsyncEnumerable<Measurement> MeasureAsync(HostProcess host, string session, int events, int times, string how, double? below, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var present = await SessionWatcher.ConnectAsync(host, session, null, cancellationToken);
        var head = present.Start.Split('.');
        var seq = long.Parse(head[1], CultureInfo.InvariantCulture);
        for (var i = 0; i < 3; i++) await ReplayAsync(host, session, head[0], seq, events, cancellationToken); // warm-up
        var took = new Latencies();
        var cpu = host.CpuSeconds();
        for (var i = 0; i < times; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await ReplayAsync(host, session, head[0], seq, events, cancellationToken);
            took.Add(began, Stopwatch.GetTimestamp());
        }

        var what = string.Create(CultureInfo.InvariantCulture, $"{events:N0} events {how}");
        yield return new("Reconnect and replay", $"{what}: p50", took.Percentile(50), "ms", below);
        yield return new("Reconnect and replay", $"{what}: CPU of host and PostgreSQL", (host.CpuSeconds() - cpu) * 1_000 / times, "ms");
    }

    private static async Task ReplayAsync(HostProcess host, string session, string incarnation, long seq, int events, CancellationToken cancellationToken)
    {
        using var watcher = await SessionWatcher.ConnectAsync(host, session, string.Create(CultureInfo.InvariantCulture, $"{incarnation}.{seq - events}"), cancellationToken);
        await watcher.UntilSeqAsync(seq, cancellationToken);
    }
}
