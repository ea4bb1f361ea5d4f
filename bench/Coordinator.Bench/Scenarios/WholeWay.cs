using System.Globalization;
using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;
using Coordinator.Bench.Serving;

namespace Coordinator.Bench.Scenarios;

/// <summary>
/// One session at a pace that people read at: from the box's event to the client that has it, durable on the way, beside the two
/// things that cannot be left out of it, a row made durable and a frame relayed. The three take turns, so that each meets the
/// same machine.
/// </summary>
internal sealed class WholeWay(TimeProvider time, int rate = 200, int rounds = 3, int count = 1_000) : IScenario
{
    public string Name => "whole";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var host = await HostProcess.StartRoleAsync("serve");
        await using var turn = await Turn.BeginAsync(host, cancellationToken);
        await using var bare = await BareJournal.StartAsync(cancellationToken);
        await using var relay = await RelayEnds.StartAsync(watchers: 1, cancellationToken);

        var (way, row, frame) = (new Latencies(), new Latencies(), new Latencies());
        for (var round = 0; round <= rounds; round++)
        {
            var ours = await EventLatency.StreamAsync(turn, rate, count, time, cancellationToken);
            var insert = await PacedAppend.InsertAsync(bare, rate, count, time, cancellationToken);
            var relayed = await RelayLimit.PacedAsync(relay, rate, count, time, cancellationToken);
            if (round == 0) continue; // warm-up
            way.Add(ours);
            row.Add(insert);
            frame.Add(relayed);
        }

        var limit = row.Then(frame);
        var area = string.Create(CultureInfo.InvariantCulture, $"One session at {rate}/s");
        foreach (var percent in new[] { 50, 99 })
        {
            yield return new(area, $"box event to client, durable: p{percent}", way.Percentile(percent), "ms");
            yield return new(area, $"limit, a bare insert of one row: p{percent}", row.Percentile(percent), "ms");
            yield return new(area, $"limit, a bare relay: p{percent}", frame.Percentile(percent), "ms");
            yield return new(area, $"against an insert and then a relay: p{percent}", way.Percentile(percent) / limit.Percentile(percent), "times", 2);
        }
    }
}
