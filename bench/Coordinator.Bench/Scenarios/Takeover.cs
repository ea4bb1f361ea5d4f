using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>
/// Three hosts on one PostgreSQL, of which one is lost: how long its sessions take to answer at another, and their clients to be shown what
/// happened afterwards. Whoever was shown a gap, a duplicate or a turn without its end makes the scenario fail.
/// </summary>
internal sealed class Takeover(TimeProvider time, int kills = 6, int ofEach = 10, int hangs = 2, int ofEachThatHangs = 3) : IScenario
{
    private const int Hosts = 3;
    private const int InTurnOfEachHost = 6;
    private const int LocksTaken = 20;
    private const string Killed = "Takeover behind kill -9";
    private const string Hung = "Takeover of a host that hangs";
    private const string Rolling = "Rolling restart of three hosts";

    private static readonly TimeSpan Undisturbed = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BetweenRestarts = TimeSpan.FromSeconds(2);

    public string Name => "takeover";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var cluster = await HostCluster.StartAsync(Hosts, time, cancellationToken);
        var killed = new TakeoverTimes();
        for (var i = 0; i < kills; i++) await KillAsync(cluster, i % Hosts, killed, cancellationToken);
        var limit = await LockTakeover.MeasureAsync(cluster.Database, LocksTaken, time, cancellationToken);
        foreach (var one in killed.Rows(Killed, 1_000, 5_000, 5_000)) yield return one;
        foreach (var one in TakeoverTimes.Rows(Killed, "limit, a row by a peer that waited for an advisory lock", limit)) yield return one;
        yield return new(Killed, "prompt at another host, of all sessions at once, against the limit: p50", killed.Prompts.Percentile(50) / limit.Percentile(50), "times");

        var hung = new TakeoverTimes();
        for (var i = 0; i < hangs; i++) await HangAsync(cluster, i % Hosts, hung, cancellationToken);
        foreach (var one in hung.Rows(Hung, null, 10_000, 10_000)) yield return one;
        await foreach (var one in RestartAllAsync(cluster, cancellationToken)) yield return one;
    }

    private async Task KillAsync(HostCluster cluster, int host, TakeoverTimes times, CancellationToken cancellationToken)
    {
        await using var sessions = await BeginAsync(cluster, host, ofEach, cancellationToken);
        var dying = Task.CompletedTask;
        await AskElsewhereAsync(cluster, host, sessions, () => { dying = cluster.Host(host).KillAsync(); return Task.CompletedTask; }, times, cancellationToken);
        await dying;
        await sessions.EndAsync(2, cancellationToken);
        await cluster.RestartAsync(host, cancellationToken);
    }

    /// <summary>It hangs until everybody has gone on elsewhere, and then comes back.</summary>
    private async Task HangAsync(HostCluster cluster, int host, TakeoverTimes times, CancellationToken cancellationToken)
    {
        await using var sessions = await BeginAsync(cluster, host, ofEachThatHangs, cancellationToken);
        await AskElsewhereAsync(cluster, host, sessions, () => cluster.Host(host).HangAsync(), times, cancellationToken);
        await cluster.Host(host).GoOnAsync();
        await sessions.EndAsync(2, cancellationToken);
        await cluster.RestartAsync(host, cancellationToken);
    }

    /// <summary>Sessions of a host: boxes of those that are idle, and boxes and clients of those in a turn, half there and half elsewhere.</summary>
    private async Task<FollowedSessions> BeginAsync(HostCluster cluster, int host, int each, CancellationToken cancellationToken)
    {
        var sessions = new FollowedSessions(cluster, time);
        for (var i = 0; i < each; i++)
        {
            await sessions.AddAsync(host, Standing.IdleFollowedElsewhere, Beside(host, i % 2), Beside(host, 1 + (i % 2)), cancellationToken);
            await sessions.AddAsync(host, Standing.IdleFollowedThere, Beside(host, i % 2), host, cancellationToken);
            await sessions.AddAsync(host, Standing.InTurn, Beside(host, i % 2), Beside(host, i / 2 % 2), cancellationToken);
        }

        if (await cluster.HeldByAsync(host, cancellationToken) is var held && held < sessions.All.Count)
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"The host that is to be lost holds {held} of {sessions.All.Count} sessions."));
        return sessions;
    }

    private static async Task AskElsewhereAsync(HostCluster cluster, int lost, FollowedSessions sessions, Func<Task> lose, TakeoverTimes times, CancellationToken cancellationToken)
    {
        await lose();
        var began = Stopwatch.GetTimestamp();
        var all = await Task.WhenAll(sessions.All.Select((session, i) => AskAsync(cluster, Beside(lost, 1 + (i % 2)), session, cancellationToken)));
        times.Add(began, all);
    }

    /// <summary>Asks at a host; when that answered, and when the client was shown the first that the box said, or the prompt, since it was called.</summary>
    private static async Task<(Standing Standing, long Answered, long Shown)> AskAsync(HostCluster cluster, int host, FollowedSession session, CancellationToken cancellationToken)
    {
        var next = session.Box.Pieces;
        var accepted = await cluster.Direct(host).PromptAsync(session.Id, "again", cancellationToken);
        var answered = Stopwatch.GetTimestamp();
        var shown = session.Standing == Standing.InTurn
            ? await session.Follower.FirstAsync("what its box said afterwards", e => e.Piece >= next)
            : await session.Follower.FirstAsync("the prompt that was asked elsewhere", e => e.Type == "message.queued" && e.MessageId == accepted.MessageId);
        return (session.Standing, answered, shown.At);
    }

    private async IAsyncEnumerable<Measurement> RestartAllAsync(HostCluster cluster, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var sessions = new FollowedSessions(cluster, time);
        for (var host = 0; host < Hosts; host++)
            for (var i = 0; i < InTurnOfEachHost; i++) await sessions.AddAsync(host, Standing.InTurn, Beside(host, i % Hosts), Beside(host, i / 2 % Hosts), cancellationToken);
        var before = Stopwatch.GetTimestamp();
        await Task.Delay(Undisturbed, time, cancellationToken);
        var began = Stopwatch.GetTimestamp();
        for (var host = 0; host < Hosts; host++)
        {
            await cluster.Host(host).StopAsync();
            await cluster.RestartAsync(host, cancellationToken);
            await Task.Delay(BetweenRestarts, time, cancellationToken);
        }

        var ended = Stopwatch.GetTimestamp();
        await sessions.EndAsync(1, cancellationToken);
        foreach (var one in TakeoverTimes.Rows(Rolling, "longest that a session's stream stood still", Stills(sessions, began, ended))) yield return one;
        foreach (var one in TakeoverTimes.Rows(Rolling, "the same in 5 s without a restart", Stills(sessions, before, began))) yield return one;
    }

    private static Latencies Stills(FollowedSessions sessions, long from, long to)
    {
        var stills = new Latencies();
        foreach (var one in sessions.All)
        {
            var (still, moved) = one.Follower.LongestStill(from, to);
            stills.Add(still, moved);
        }

        return stills;
    }

    private static int Beside(int host, int distance) => (host + distance) % Hosts;
}
