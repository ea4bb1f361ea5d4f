using System.Collections.Concurrent;
using System.Globalization;
using Coordinator.Client;
using Coordinator.Tests.Chaos.Checks;
using Coordinator.Tests.Chaos.Strikes;
using Coordinator.Tests.Chaos.World;
using Coordinator.Tests.Support.Following;
using Coordinator.Tests.Support.Network;

namespace Coordinator.Tests.Chaos.Load;

/// <summary>
/// One session that two people ask for one turn after another, so that one runs and one waits, and that two clients follow
/// over a bad network: one by a WebSocket, one by the product's own client.
/// </summary>
internal sealed class LoadedSession : IAsyncDisposable
{
    private const int People = 2;
    private const int MostTurns = 160; // the history gives 200 runs at once

    private readonly ChaosWorld world;
    private readonly int seed;
    private readonly IReadOnlyList<CoordinatorClient> clients;
    private readonly StreamFollower stream;
    private CancellationTokenSource enough = new();
    private readonly ConcurrentQueue<Asked> asked = [];
    private readonly ConcurrentQueue<Finding> findings = [];
    private readonly ConcurrentQueue<TimeSpan> turns = [];
    private Task asking = Task.CompletedTask;
    private int words;

    private LoadedSession(ChaosWorld world, string id, int number, int seed)
    {
        (this.world, Id, this.seed) = (world, id, seed);
        clients = [.. Enumerable.Range(0, People + 1).Select(offset => world.ClientOf(number + offset))];
        Link = world.OpenLink(id);
        Socket = new(id, world.ApiKey, world.Urls(number));
        stream = new(clients[People], id);
    }

    public string Id { get; }

    /// <summary>What was struck in its box, and when the link was.</summary>
    public ConcurrentQueue<BoxStrike> Struck { get; } = [];

    /// <summary>What stands between its box and what that dials.</summary>
    public FaultProxy Link { get; }

    public WatchingClient Socket { get; }

    public ShownLog StreamLog => stream.Log;

    /// <summary>What was found while it ran.</summary>
    public IReadOnlyCollection<Finding> Findings => findings;

    /// <summary>From each prompt to the end of its turn, as who asked was shown it.</summary>
    public IReadOnlyCollection<TimeSpan> Turns => turns;

    public static async Task<LoadedSession> StartAsync(ChaosWorld world, int number, int seed, CancellationToken cancellationToken)
    {
        using var client = world.DirectClient();
        var made = await client.CreateSessionAsync(new(ChaosWorld.Model, "Chaos", Agent: ChaosWorld.Agent), cancellationToken);
        var session = new LoadedSession(world, made.Id, number, seed);
        session.Ask(cancellationToken);
        return session;
    }

    /// <summary>Has people ask, until <see cref="FinishAsync"/>.</summary>
    public void Ask(CancellationToken cancellationToken)
    {
        enough.Dispose();
        enough = new();
        asking = Task.WhenAll(Enumerable.Range(0, People).Select(person => Task.Run(() => AskAsync(clients[person], new(seed + words + person), cancellationToken), cancellationToken)));
    }

    /// <summary>How far its agent is. It has said something.</summary>
    public async Task<LastWord> LastWordAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (LastWord.Parse(await File.ReadAllTextAsync(world.SaidBy(Id), cancellationToken)) is { } said) return said;
            await Task.Yield(); // it is being written in this moment
        }
    }

    /// <summary>Asks no more, and waits until all that was asked has ended or is found to be stuck.</summary>
    public async Task FinishAsync()
    {
        await enough.CancelAsync();
        await asking;
    }

    /// <summary>What is known of it once it is archived and its followers have come to the journal's end.</summary>
    public async Task<SessionEvidence> EvidenceAsync(CoordinatorClient direct, IReadOnlyList<string> promptsRun, CancellationToken cancellationToken)
    {
        var settled = await SettledAsync(direct, cancellationToken);
        List<FollowedLog> logs = [new("the socket's client", Socket.Log), new("the stream's client", stream.Log.Snapshot())];
        foreach (var problem in new[] { Socket.Problem, stream.Problem }.OfType<string>()) findings.Enqueue(new(FindingKind.Missing, Id, problem));
        var runs = (await direct.ListRunsAsync(Id, cancellationToken)).Items.Select(run => new RunSpan(run.Message, run.FirstSeq, run.LastSeq)).ToList();
        return new(Id, await ChaosWorld.JournalOfAsync(direct, Id, cancellationToken), settled, logs, [.. asked], promptsRun, runs, [.. Struck]);
    }

    /// <summary>How far the journal is, once its followers are there or do not come there.</summary>
    public async Task<long> SettledAsync(CoordinatorClient direct, CancellationToken cancellationToken)
    {
        var settled = (await ChaosWorld.JournalOfAsync(direct, Id, cancellationToken))[^1].Seq;
        await Socket.Shown.FirstAsync(e => e.Seq >= settled, Bounds.Stuck, cancellationToken);
        await stream.Log.FirstAsync(e => e.Seq >= settled, Bounds.Stuck, cancellationToken);
        return settled;
    }

    public async ValueTask DisposeAsync()
    {
        await enough.CancelAsync();
        await asking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Socket.DisposeAsync();
        await stream.DisposeAsync();
        await Link.DisposeAsync();
        foreach (var client in clients) client.Dispose();
        enough.Dispose();
    }

    private async Task AskAsync(CoordinatorClient client, Random random, CancellationToken cancellationToken)
    {
        while (!enough.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            var number = Interlocked.Increment(ref words);
            if (number > MostTurns) return;
            var (word, count) = (string.Create(CultureInfo.InvariantCulture, $"w{number}"), random.Next(10, 90));
            var began = TimeProvider.System.GetTimestamp();
            try
            {
                var message = (await client.PromptAsync(Id, $"count {count} {word}", cancellationToken)).MessageId;
                asked.Enqueue(new(word, count, message));
                if (random.Next(10) == 0) await CancelAsync(client, message, cancellationToken);
                if (await Socket.Shown.FirstAsync(e => e.IsEnd && e.MessageId == message, Bounds.Stuck, cancellationToken) is null)
                {
                    findings.Enqueue(new(FindingKind.Stuck, Id, $"{message} has not ended {Bounds.Stuck.TotalSeconds:0} s after it was asked for"));
                    return;
                }

                turns.Enqueue(TimeProvider.System.GetElapsedTime(began));
            }
            catch (CoordinatorException refused)
            {
                asked.Enqueue(new(word, count, null));
                findings.Enqueue(new(FindingKind.Stuck, Id, $"'{word}' was not taken: {refused.Status} {refused.Code} {refused.Message}"));
                return;
            }
        }
    }

    private async Task CancelAsync(CoordinatorClient client, string message, CancellationToken cancellationToken)
    {
        try
        {
            await client.CancelAsync(Id, message, cancellationToken);
        }
        catch (CoordinatorException late) when (late.Status is 404 or 409)
        {
            // It has ended in this moment, which is as good.
        }
    }
}
