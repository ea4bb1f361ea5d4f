using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>From a prompt, sent and accepted, to the box that has it; two commits lie on the way of the whole.</summary>
internal sealed class DispatchLatency(int warmUp = 100, int count = 400) : IScenario
{
    public string Name => "dispatch";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var host = await HostProcess.StartRoleAsync("serve");
        await using var turn = await Turn.BeginAsync(host, cancellationToken);
        await turn.EndAsync(cancellationToken);
        var (fromSent, fromAccepted) = (new Latencies(), new Latencies());
        for (var i = 0; i < warmUp + count; i++)
        {
            var sent = Stopwatch.GetTimestamp();
            await turn.Watcher.PromptAsync(string.Create(CultureInfo.InvariantCulture, $"p{i}"), "work", cancellationToken);
            var accepted = turn.Watcher.UntilAsync("accepted", null, cancellationToken);
            var prompt = await turn.Box.NextPromptAsync(cancellationToken);
            if (i >= warmUp)
            {
                fromSent.Add(sent, prompt.At);
                fromAccepted.Add(Math.Min(await accepted, prompt.At), prompt.At);
            }

            await accepted;
            await turn.Box.SendAsync("message.accepted", prompt.MessageId, "{}", cancellationToken);
            await turn.Box.SendAsync("message.ended", prompt.MessageId, """{"outcome":"completed"}""", cancellationToken);
            await turn.Watcher.UntilAsync("events", "message.completed", cancellationToken);
        }

        yield return new("Prompt to connected box", "sent by the client, at the box: p50", fromSent.Percentile(50), "ms", 10);
        yield return new("Prompt to connected box", "sent by the client, at the box: p99", fromSent.Percentile(99), "ms");
        yield return new("Prompt to connected box", "accepted at the client, at the box: p50", fromAccepted.Percentile(50), "ms", 10);
        yield return new("Prompt to connected box", "accepted at the client, at the box: p99", fromAccepted.Percentile(99), "ms");
    }
}
