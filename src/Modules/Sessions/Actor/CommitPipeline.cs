using Coordinator.Modules.Sessions.Decisions;
using Coordinator.Modules.Sessions.Events;
using Coordinator.Modules.Sessions.Facts;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Actor;

/// <summary>
/// One append in flight; what comes meanwhile gathers into the next record. Whatever leaves (replies, events, frames)
/// waits for the commit of the version it stands on, so nobody is shown what is not durable.
/// </summary>
internal sealed class CommitPipeline(SessionState initial, SessionLimits limits)
{
    private readonly EndedMessages ended = new();
    private Turn? gathering;
    private List<Action<IList<SessionOutput>>> gatheredLeaving = [];
    private Flight? flight;

    /// <summary>What is durable.</summary>
    public SessionState Committed { get; private set; } = initial;

    /// <summary>What is durable once the append in flight is; null when none is.</summary>
    public SessionState? InFlight => flight?.After;

    /// <summary>Committed, in flight and gathered.</summary>
    private SessionState Speculative => gathering?.State ?? flight?.After ?? Committed;

    public bool IsSettled => flight is null && gathering is null;

    /// <summary>The record that the present step adds to.</summary>
    public Turn Turn(DateTimeOffset now)
    {
        gathering ??= new Turn(Speculative, now, limits);
        gathering.Advance(now);
        return gathering;
    }

    /// <summary>Lets an output go when everything decided so far is durable.</summary>
    public void Leave(SessionOutput output, IList<SessionOutput> outputs) => WhenDurable(o => o.Add(output), outputs);

    /// <summary>Does something when everything decided so far is durable: at once, when it is.</summary>
    public void WhenDurable(Action<IList<SessionOutput>> action, IList<SessionOutput> outputs)
    {
        if (gathering is { IsEmpty: false }) gatheredLeaving.Add(action);
        else if (flight is not null) flight.Leaving.Add(action);
        else action(outputs);
    }

    /// <summary>Sends what gathered on its way, unless an append is in flight.</summary>
    public void Flush(IList<SessionOutput> outputs)
    {
        if (gathering is { IsEmpty: true }) gathering = null;
        if (flight is not null || gathering is null) return;
        var turn = gathering;
        var expected = Committed.Version;
        var after = turn.State with { Version = expected + 1, LastAt = turn.Now };
        var view = turn.ChangesView ? SessionViewWriter.Write(after, ended) : null;
        flight = new(turn, after, view, gatheredLeaving);
        (gathering, gatheredLeaving) = (null, []);
        outputs.Add(new SessionOutput.Append(new(
            expected,
            RecordCodec.Encode(turn.Facts, turn.Events.Utf8.Span),
            turn.Events.Count,
            turn.Now,
            Deadlines.Next(after, limits),
            view?.Json)
        {
            Environment = turn.Discovery,
        }));
    }

    /// <summary>The append in flight is durable: publish it, then let go what waited for it.</summary>
    public void Commit(long version, IList<SessionOutput> outputs)
    {
        if (flight is null || flight.After.Version != version) throw new InvalidOperationException($"Version {version} was committed, but {flight?.After.Version.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "nothing"} is in flight.");
        Committed = flight.After;
        var events = flight.Turn.Events;
        if (events.Count > 0)
            outputs.Add(new SessionOutput.Publish(new(events.Slices[0].Seq, events.Slices[^1].Seq, events.Utf8, events.Slices) { View = flight.View }));
        foreach (var leave in flight.Leaving) leave(outputs);
        flight = null;
    }

    /// <summary>Before the first step: the state as the journal tells it.</summary>
    public void Load(SessionState state) => Committed = state;

    private sealed record Flight(Turn Turn, SessionState After, SessionView? View, List<Action<IList<SessionOutput>>> Leaving);
}
