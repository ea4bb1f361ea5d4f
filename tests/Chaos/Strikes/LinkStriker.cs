using Coordinator.Tests.Chaos.Checks;
using Coordinator.Tests.Chaos.Load;
using Coordinator.Tests.Support.Following;
using Coordinator.Tests.Support.Network;

namespace Coordinator.Tests.Chaos.Strikes;

/// <summary>Strikes the way between one session's box and what it dials, in the middle of a turn.</summary>
internal sealed class LinkStriker(LoadedSession session, TroubleBag troubles, Random random)
{
    /// <summary>Some ten of the answers that a box is given to what it tells.</summary>
    private const int MostBytes = 1_000;

    /// <summary>How long it does badly at the most.</summary>
    public TimeSpan LongestTrouble { get; init; } = NetworkTrouble.Longest;

    /// <summary>Null when the box met nothing of it.</summary>
    public async Task<Strike?> StrikeAsync(CancellationToken cancellationToken)
    {
        if (await session.Socket.Shown.FirstAsync(e => e.Type == "agent.text", Bounds.Stuck, cancellationToken, session.Socket.Shown.Count) is null) return new(StrikeKind.BoxLink, null);
        if (session.Link.Accepted == 0) throw new InvalidOperationException($"The box of {session.Id} has not dialled by its link.");
        var trouble = troubles.Take();
        var struck = TimeProvider.System.GetUtcNow();
        if (!await NetworkTrouble.PlayAsync(session.Link, trouble, (random.Next(2) == 0 ? Direction.ToClient : Direction.ToServer, MostBytes), random, LastsAsync))
        {
            troubles.PutBack(trouble);
            return null;
        }

        session.Struck.Enqueue(new(StrikeKind.BoxLink, struck));
        var healed = TimeProvider.System.GetTimestamp();
        var said = await session.LastWordAsync(cancellationToken);
        var next = await session.Socket.Shown.FirstAsync(e => said.IsBefore(e, session.Socket.Shown.Snapshot()), Bounds.Stuck, cancellationToken);
        return new(StrikeKind.BoxLink, next is null ? null : TimeProvider.System.GetElapsedTime(healed), trouble);

        async Task LastsAsync() => await Task.Delay(LongestTrouble * random.NextDouble(), TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
