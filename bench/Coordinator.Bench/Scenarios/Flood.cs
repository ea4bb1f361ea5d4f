using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>A client that has stopped reading while its session writes 200 MB, and how far that moves the host's memory, beside the same without it.</summary>
internal sealed class Flood(int megabytes = 200) : IScenario
{
    private const int EventBytes = 50_000;

    /// <summary>Far below the bytes of the bridge's window.</summary>
    private const int InFlight = 10;

    private static readonly string Data = $$"""{"part":"p1","offset":0,"text":"{{new string('x', EventBytes)}}"}""";

    public string Name => "flood";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var host = await HostProcess.StartRoleAsync("serve");
        await using var turn = await Turn.BeginAsync(host, cancellationToken);
        turn.Watcher.Dispose();
        await FloodAsync(host, turn, cancellationToken); // the heap and PostgreSQL's buffers get their size
        var without = await FloodAsync(host, turn, cancellationToken);
        using var paused = await SessionWatcher.ConnectAsync(host, turn.Session, null, cancellationToken);
        var with = await FloodAsync(host, turn, cancellationToken);
        yield return new("Flood of 200 MB", "most memory held with nobody watching", without, "MB");
        yield return new("Flood of 200 MB", "most memory held with a paused client", with, "MB");
        yield return new("Flood of 200 MB", "what the paused client costs", with - without, "MB", 20);
    }

    /// <summary>The most that the host and its PostgreSQL held on the way.</summary>
    private async Task<double> FloodAsync(HostProcess host, Turn turn, CancellationToken cancellationToken)
    {
        var most = 0.0;
        for (var i = 0; i < megabytes * 1_000_000 / EventBytes; i++)
        {
            await turn.Box.SendAsync("agent.text", turn.MessageId, Data, cancellationToken);
            if (i % InFlight == InFlight - 1) await turn.Box.AllAcknowledgedAsync(cancellationToken);
            if (i % 100 == 0) most = Math.Max(most, host.Megabytes());
        }

        await turn.Box.AllAcknowledgedAsync(cancellationToken);
        return most;
    }
}
