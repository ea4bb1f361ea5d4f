using System.Diagnostics;
using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>
/// What can be measured of any server from the outside, by the same code: sessions made, one after another and eight at a
/// time; whole turns of its own demo agent, from the prompt to the first event and to the last; and a client that comes back to what it missed.
/// </summary>
internal sealed class Drive(IServer server, int sessions = 200, int turns = 30) : IScenario
{
    private const int AtOnce = 8;
    private const string Prompt = "Say hello.";

    public string Name => "drive";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await CreateAsync(sessions / 4, cancellationToken); // warm-up
        var one = await CreateAsync(sessions, cancellationToken);
        yield return new("Session create", "one after another: p50", one.Percentile(50), "ms");
        yield return new("Session create", "one after another: p99", one.Percentile(99), "ms");
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => CreateAsync(sessions / AtOnce, cancellationToken)));
        yield return new("Session create", $"{AtOnce} at a time", sessions / Stopwatch.GetElapsedTime(began).TotalSeconds, "sessions/s");

        var session = await server.CreateAsync(cancellationToken);
        var (taken, first, last, events) = (new Latencies(), new Latencies(), new Latencies(), 0);
        string? start = null;
        for (var i = -1; i < turns; i++)
        {
            var turn = await TurnAsync(session, cancellationToken);
            start ??= turn.Cursor;
            if (i < 0) continue; // the first turn starts what the agent runs in
            taken.Add(turn.Sent, turn.Taken);
            first.Add(turn.Sent, turn.First);
            last.Add(turn.Sent, turn.Last);
            events += turn.Events;
        }

        yield return new("Turn", "prompt taken: p50", taken.Percentile(50), "ms");
        yield return new("Turn", "first event: p50", first.Percentile(50), "ms");
        yield return new("Turn", "last event: p50", last.Percentile(50), "ms");
        yield return new("Turn", "events", events / (double)turns, "events");
        var missed = await ReturnAsync(session, start, events, cancellationToken);
        yield return new("Reconnect", $"to {events} events that were missed: p50", missed.Percentile(50), "ms");
    }

    private async Task<Latencies> CreateAsync(int count, CancellationToken cancellationToken) =>
        (await Latencies.InTurnsAsync(1, count, () => server.CreateAsync(cancellationToken)))[0];

    private async Task<(long Sent, long Taken, long First, long Last, int Events, string? Cursor)> TurnAsync(string session, CancellationToken cancellationToken)
    {
        await using var follower = await server.FollowAsync(session, null, cancellationToken);
        var sent = Stopwatch.GetTimestamp();
        var prompting = TakenAsync(session, cancellationToken);
        var (first, events, cursor) = (0L, 0, (string?)null);
        while (await follower.NextAsync(cancellationToken) is { } told)
        {
            if (first == 0 && told.Events > 0) first = Stopwatch.GetTimestamp();
            events += told.Events;
            cursor = told.Cursor ?? cursor;
            if (told.EndsTurn) return (sent, await prompting, first, Stopwatch.GetTimestamp(), events, cursor);
        }

        throw new InvalidOperationException("The server ended the connection within a turn.");
    }

    private async Task<long> TakenAsync(string session, CancellationToken cancellationToken)
    {
        await server.PromptAsync(session, Prompt, cancellationToken);
        return Stopwatch.GetTimestamp();
    }

    private async Task<Latencies> ReturnAsync(string session, string? cursor, int events, CancellationToken cancellationToken)
    {
        var latencies = new Latencies();
        for (var i = 0; i < 20; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await using var follower = await server.FollowAsync(session, cursor, cancellationToken);
            for (var come = 0; come < events && await follower.NextAsync(cancellationToken) is { } told;) come += told.Events;
            latencies.Add(began, Stopwatch.GetTimestamp());
        }

        return latencies;
    }
}
