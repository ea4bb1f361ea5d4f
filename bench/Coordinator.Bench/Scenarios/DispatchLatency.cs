using System.Globalization;
using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;
using Coordinator.Bench.Serving;

namespace Coordinator.Bench.Scenarios;

/// <summary>
/// From a prompt, given by the client to its socket, to the box that has it; the commit that accepts it lies on the way. By turns to a
/// session whose model is a provider's, where the host looks at what the organization has set for it, and to one of the demo's. Each is
/// asked at rest, and once more right behind that turn, whose run is still being written to the history. Beside it, at the pace of the
/// former, its limit: a row made durable and a frame relayed.
/// </summary>
internal sealed class DispatchLatency(TimeProvider time, int warmUp = 200, int count = 800) : IScenario
{
    private const string Area = "Prompt to connected box";

    /// <summary>A provider that needs no key and is never called, since the box is played.</summary>
    private const string OwnModel = "ollama/some-model";

    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(20);

    /// <summary>A second, of what is done after each rest.</summary>
    private const int Rate = 45;

    public string Name => "dispatch";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var host = await HostProcess.StartRoleAsync("serve", "--Models:Providers:ollama:BaseUrl=http://127.0.0.1:9/v1");
        await using var own = await BeginAsync(host, OwnModel, cancellationToken);
        await using var demo = await BeginAsync(host, Turn.Model, cancellationToken);
        var (cold, atRest, behind, demoAtRest) = (new Latencies(), new Latencies(), new Latencies(), new Latencies());
        var (fromAccepted, toFirstEvent, toBoxEvent) = (new Latencies(), new Latencies(), new Latencies());
        long allocated = 0;
        for (var i = 0; i < warmUp + count; i++)
        {
            if (i == warmUp) allocated = (await host.MemoryAsync(cancellationToken)).Allocated;
            await Task.Delay(Rest, time, cancellationToken);
            var rested = await PromptAsync(own, $"o{i}", cancellationToken);
            var following = await PromptAsync(own, $"b{i}", cancellationToken);
            await Task.Delay(Rest, time, cancellationToken);
            var demos = await PromptAsync(demo, $"d{i}", cancellationToken);
            if (i < warmUp)
            {
                cold.Add(rested.Sent, rested.Arrived);
                continue;
            }

            atRest.Add(rested.Sent, rested.Arrived);
            behind.Add(following.Sent, following.Arrived);
            demoAtRest.Add(demos.Sent, demos.Arrived);
            toFirstEvent.Add(rested.Sent, rested.FirstEvent);
            toBoxEvent.Add(rested.Sent, rested.BoxEvent);
            fromAccepted.Add(Math.Min(rested.Accepted, rested.Arrived), rested.Arrived);
        }

        allocated = (await host.MemoryAsync(cancellationToken)).Allocated - allocated;
        var (row, frame) = await LimitAsync(cancellationToken);
        foreach (var (name, latencies, p50, p99) in new (string, Latencies, double?, double?)[]
                 {
                     ("sent by the client, at the box", atRest, 2, 5),
                     ("the same with the demo's model", demoAtRest, 2, 5),
                     ("the same right behind a turn", behind, null, null),
                     (string.Create(CultureInfo.InvariantCulture, $"the same, the first {warmUp} of a host that has just started"), cold, null, null),
                     ("sent by the client, its first event at the client", toFirstEvent, null, 5),
                     ("sent by the client, the first event of a box that answers at once, at the client", toBoxEvent, null, null),
                     ("accepted at the client, at the box", fromAccepted, 10, null),
                     ("limit, a bare insert of one row", row, null, null),
                     ("limit, a bare relay", frame, null, null),
                 })
        {
            yield return new(Area, $"{name}: p50", latencies.Percentile(50), "ms", p50);
            yield return new(Area, $"{name}: p99", latencies.Percentile(99), "ms", p99);
        }

        yield return new(Area, "allocated by the host for a turn", allocated / 1024.0 / (3 * count), "KB");
        var limit = row.Then(frame);
        foreach (var percent in new[] { 50, 99 })
            yield return new(Area, $"against an insert and then a relay: p{percent}", atRest.Percentile(percent) / limit.Percentile(percent), "times");
    }

    private static async Task<Turn> BeginAsync(HostProcess host, string model, CancellationToken cancellationToken)
    {
        var turn = await Turn.BeginAsync(host, cancellationToken, model);
        await turn.EndAsync(cancellationToken);
        return turn;
    }

    private async Task<(Latencies Row, Latencies Frame)> LimitAsync(CancellationToken cancellationToken)
    {
        await using var bare = await BareJournal.StartAsync(cancellationToken);
        await using var relay = await RelayEnds.StartAsync(watchers: 1, cancellationToken);
        await PacedAppend.InsertAsync(bare, Rate, warmUp, time, cancellationToken);
        await RelayLimit.PacedAsync(relay, Rate, warmUp, time, cancellationToken);
        return (await PacedAppend.InsertAsync(bare, Rate, count / 2, time, cancellationToken), await RelayLimit.PacedAsync(relay, Rate, count / 2, time, cancellationToken));
    }

    /// <summary>One turn: when its prompt was sent, accepted and first shown at the client, at the box, and when the client was shown what the box said first.</summary>
    internal static async Task<(long Sent, long Accepted, long FirstEvent, long Arrived, long BoxEvent)> PromptAsync(Turn turn, string clientId, CancellationToken cancellationToken)
    {
        var sent = await turn.Watcher.PromptAsync(clientId, "work", cancellationToken);
        var answer = turn.Watcher.AnswerAsync(cancellationToken);
        var prompt = await turn.Box.NextPromptAsync(cancellationToken);
        var (accepted, firstEvent) = await answer;
        await turn.Box.SendAsync("message.accepted", prompt.MessageId, "{}", cancellationToken);
        await turn.Box.SendAsync("message.ended", prompt.MessageId, """{"outcome":"completed"}""", cancellationToken);
        List<byte[]> shown = [];
        var boxEvent = await turn.Watcher.UntilAsync("events", "message.started", cancellationToken, shown);
        if (shown[^1].AsSpan().IndexOf("message.completed"u8) < 0) await turn.Watcher.UntilAsync("events", "message.completed", cancellationToken);
        return (sent, accepted, firstEvent, prompt.At, boxEvent);
    }
}
