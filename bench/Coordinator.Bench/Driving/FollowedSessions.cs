using System.Globalization;
using Coordinator.Client;

namespace Coordinator.Bench.Driving;

/// <summary>What a session does when its host is lost, and where it is followed from.</summary>
internal enum Standing
{
    /// <summary>Nothing; its client is connected to another host.</summary>
    IdleFollowedElsewhere,

    /// <summary>Nothing; its client is connected to the host that is lost.</summary>
    IdleFollowedThere,

    /// <summary>Its box says a piece of text each 50 ms.</summary>
    InTurn,
}

/// <summary>A session of one host, its box and its client, each of which may be connected to another.</summary>
internal sealed record FollowedSession(string Id, Standing Standing, RoamingBox Box, SteadyFollower Follower);

/// <summary>Sessions of the hosts of a cluster, with all that is connected to them.</summary>
internal sealed class FollowedSessions(HostCluster cluster, TimeProvider time) : IAsyncDisposable
{
    private const int PiecesBefore = 10;

    private readonly List<FollowedSession> all = [];

    public IReadOnlyList<FollowedSession> All => all;

    /// <summary>Makes one at a host and waits until it stands as it should.</summary>
    public async Task AddAsync(int owner, Standing standing, int boxAt, int followedAt, CancellationToken cancellationToken)
    {
        var session = await cluster.Direct(owner).CreateSessionAsync(new NewSession(Turn.Model, Prompt: standing == Standing.InTurn ? RoamingBox.Long : "begin"), cancellationToken);
        var box = new RoamingBox(await cluster.Host(owner).NextBoxAsync(cancellationToken), cluster.Balancer.Before(boxAt), time);
        var one = new FollowedSession(session.Id, standing, box, new SteadyFollower(cluster.NewClient(followedAt), session.Id, time));
        all.Add(one);
        await (standing == Standing.InTurn
            ? one.Follower.FirstAsync("a turn that goes on", shown => shown.Piece >= PiecesBefore)
            : one.Follower.FirstAsync("the end of its first turn", shown => shown.Type == "message.completed"));
    }

    /// <summary>
    /// Ends every turn and demands that each client was shown all of them to their end: so many, each once, and every piece that a box said.
    /// </summary>
    public async Task EndAsync(int turns, CancellationToken cancellationToken)
    {
        foreach (var one in all) one.Box.EndTurns();
        foreach (var one in all)
        {
            await one.Follower.FirstAsync("the end of every turn", _ => one.Follower.Log.Count(shown => shown.Type == "message.completed") >= turns);
            if (one.Box.Flaw is { } flaw) throw new InvalidOperationException(flaw);
            var (shown, said) = (one.Follower.Log.Count(e => e.Piece is not null), one.Box.Pieces);
            if (shown != said) throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"Whoever follows {one.Id} was shown {shown} of the {said} pieces that its box said."));
        }

        using var client = cluster.NewClient(0);
        await Task.WhenAll(all.Select(one => client.ArchiveAsync(one.Id, cancellationToken)));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var one in all)
        {
            await one.Follower.DisposeAsync();
            await one.Box.DisposeAsync();
        }
    }
}
