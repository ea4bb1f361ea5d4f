using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;
using Coordinator.Bench.Serving;

namespace Coordinator.Bench.Scenarios;

/// <summary>
/// From a prompt, sent by the client, to the box that has it; the commit that accepts it lies on the way. Every other prompt goes to
/// a session at rest; those between follow right behind the turn before, whose run is still being written to the history. Beside it,
/// at the pace of the former, its limit: a row made durable and a frame relayed.
/// </summary>
internal sealed class DispatchLatency(TimeProvider time, int warmUp = 200, int count = 800) : IScenario
{
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(20);

    /// <summary>A second, of what is done after each rest.</summary>
    private const int Rate = 45;

    public string Name => "dispatch";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var host = await HostProcess.StartRoleAsync("serve");
        await using var turn = await Turn.BeginAsync(host, cancellationToken);
        await turn.EndAsync(cancellationToken);
        var (atRest, behind, fromAccepted, toFirstEvent) = (new Latencies(), new Latencies(), new Latencies(), new Latencies());
        for (var i = 0; i < warmUp + count; i++)
        {
            if (i % 2 == 0) await Task.Delay(Rest, time, cancellationToken);
            var (sent, accepted, firstEvent, arrived) = await PromptAsync(turn, i, cancellationToken);
            if (i < warmUp) continue;
            if (i % 2 == 0) toFirstEvent.Add(sent, firstEvent);
            (i % 2 == 0 ? atRest : behind).Add(sent, arrived);
            fromAccepted.Add(Math.Min(accepted, arrived), arrived);
        }

        var (row, frame) = await LimitAsync(cancellationToken);
        yield return new("Prompt to connected box", "sent by the client, at the box: p50", atRest.Percentile(50), "ms", 2);
        yield return new("Prompt to connected box", "sent by the client, at the box: p99", atRest.Percentile(99), "ms", 5);
        yield return new("Prompt to connected box", "the same right behind a turn: p50", behind.Percentile(50), "ms");
        yield return new("Prompt to connected box", "the same right behind a turn: p99", behind.Percentile(99), "ms");
        yield return new("Prompt to connected box", "sent by the client, its first event at the client: p50", toFirstEvent.Percentile(50), "ms");
        yield return new("Prompt to connected box", "sent by the client, its first event at the client: p99", toFirstEvent.Percentile(99), "ms", 5);
        yield return new("Prompt to connected box", "accepted at the client, at the box: p50", fromAccepted.Percentile(50), "ms", 10);
        yield return new("Prompt to connected box", "accepted at the client, at the box: p99", fromAccepted.Percentile(99), "ms");
        foreach (var percent in new[] { 50, 99 })
        {
            yield return new("Prompt to connected box", $"limit, a bare insert of one row: p{percent}", row.Percentile(percent), "ms");
            yield return new("Prompt to connected box", $"limit, a bare relay: p{percent}", frame.Percentile(percent), "ms");
            yield return new("Prompt to connected box", $"against insert and relay together: p{percent}", atRest.Percentile(percent) / (row.Percentile(percent) + frame.Percentile(percent)), "times");
        }
    }

    private async Task<(Latencies Row, Latencies Frame)> LimitAsync(CancellationToken cancellationToken)
    {
        await using var bare = await BareJournal.StartAsync(cancellationToken);
        await using var relay = await HostProcess.StartRoleAsync("relay");
        using var into = await FrameSocket.ConnectAsync(relay.Url, "/in", null, null, cancellationToken);
        using var watcher = new SessionWatcher(await FrameSocket.ConnectAsync(relay.Url, "/out", null, null, cancellationToken));
        await PacedAppend.InsertAsync(bare, Rate, warmUp / 4, time, cancellationToken);
        await RelayLimit.PacedAsync(into, watcher, Rate, warmUp / 4, time, cancellationToken);
        return (await PacedAppend.InsertAsync(bare, Rate, count / 2, time, cancellationToken), await RelayLimit.PacedAsync(into, watcher, Rate, count / 2, time, cancellationToken));
    }

    /// <summary>One turn: when its prompt was sent, accepted and first shown at the client, and at the box.</summary>
    private static async Task<(long Sent, long Accepted, long FirstEvent, long Arrived)> PromptAsync(Turn turn, int i, CancellationToken cancellationToken)
    {
        var sent = Stopwatch.GetTimestamp();
        await turn.Watcher.PromptAsync(string.Create(CultureInfo.InvariantCulture, $"p{i}"), "work", cancellationToken);
        var answer = turn.Watcher.AnswerAsync(cancellationToken);
        var prompt = await turn.Box.NextPromptAsync(cancellationToken);
        var (accepted, firstEvent) = await answer;
        await turn.Box.SendAsync("message.accepted", prompt.MessageId, "{}", cancellationToken);
        await turn.Box.SendAsync("message.ended", prompt.MessageId, """{"outcome":"completed"}""", cancellationToken);
        await turn.Watcher.UntilAsync("events", "message.completed", cancellationToken);
        return (sent, accepted, firstEvent, prompt.At);
    }
}
