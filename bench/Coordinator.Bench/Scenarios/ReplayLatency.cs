using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>
/// What a client that was away takes from its handshake to the last event it missed, and what that computes at the host. Turn by turn with
/// it, its limit: the frames that such a client is told, as rows that a bare store reads and tells; and the same events, a row for each.
/// </summary>
internal static class ReplayLatency
{
    private const string Area = "Reconnect and replay";

    private const int Turns = 4;

    public static async IAsyncEnumerable<Measurement> MeasureAsync(HostProcess host, StoreCaller store, string session, int events, int times, string how, double? below, [EnumeratorCancellation] CancellationToken cancellationToken, int warmUp = 3)
    {
        using var present = await SessionWatcher.ConnectAsync(host, session, null, cancellationToken);
        var head = present.Start.Split('.');
        var seq = long.Parse(head[1], CultureInfo.InvariantCulture);
        var after = string.Create(CultureInfo.InvariantCulture, $"{head[0]}.{seq - events}");
        var frames = new List<byte[]>();
        await ReplayAsync(host, session, after, seq, cancellationToken, frames);
        var what = string.Create(CultureInfo.InvariantCulture, $"{events:N0} events {how}");
        foreach (var (limit, rows) in new[] { ("a bare SELECT of the same frames", frames), ("a bare SELECT of a row per event", [.. OneEach(frames)]) })
        {
            var id = await store.FillAsync(rows, cancellationToken);
            Func<Task>[] acts = [() => ReplayAsync(host, session, after, seq, cancellationToken), () => store.ReadAsync(id, seq, cancellationToken)];
            await Latencies.InTurnsAsync(1, warmUp, acts);
            var (cpu, storeCpu, turns) = (host.CpuSeconds(), store.Process.CpuSeconds(), Math.Min(Turns, times));
            var took = await Latencies.InTurnsAsync(turns, times / turns, acts);
            (cpu, storeCpu) = (host.CpuSeconds() - cpu, store.Process.CpuSeconds() - storeCpu);
            if (rows == frames)
            {
                yield return new(Area, $"{what}: p50", took[0].Percentile(50), "ms", below);
                yield return new(Area, $"{what}: CPU of host and PostgreSQL", cpu * 1_000 / took[0].Count, "ms");
                yield return new(Area, $"{what}: frames", frames.Count, "frames");
            }

            foreach (var one in took[0].Beside(took[1], $"{Area}: {what}", limit, 50)) yield return one;
            yield return new($"{Area}: {what}", $"limit, {limit}: CPU", storeCpu * 1_000 / took[1].Count, "ms");
        }
    }

    private static async Task ReplayAsync(HostProcess host, string session, string after, long seq, CancellationToken cancellationToken, List<byte[]>? kept = null)
    {
        using var watcher = await SessionWatcher.ConnectAsync(host, session, after, cancellationToken);
        await watcher.UntilSeqAsync(seq, cancellationToken, kept);
    }

    /// <summary>The same events, each in a frame of its own.</summary>
    private static IEnumerable<byte[]> OneEach(List<byte[]> frames)
    {
        foreach (var frame in frames)
        {
            using var json = JsonDocument.Parse(frame);
            if (!json.RootElement.TryGetProperty("events", out var events)) continue; // a view
            foreach (var one in events.EnumerateArray()) yield return Encoding.UTF8.GetBytes($$"""{"type":"events","events":[{{one.GetRawText()}}]}""");
        }
    }
}
