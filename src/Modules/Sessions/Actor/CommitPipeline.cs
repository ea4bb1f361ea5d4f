using Coordinator.Modules.Sessions.Decisions;
using Coordinator.Modules.Sessions.Events;
using Coordinator.Modules.Sessions.Facts;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Actor;

/// <summary>
/// One append in flight; what comes meanwhile gathers into the next record, and once that is full into the one behind it. Whatever
/// leaves (replies, events, frames) waits for the commit of the version it stands on, so nobody is shown what is not durable.
/// </summary>
internal sealed class CommitPipeline(SessionState initial, SessionLimits limits)
{
    /// <summary>
    /// A record that is as heavy takes no more. What clients say stands in its facts once more, up to six times as long; so too it stays
    /// below what a journal takes at once.
    /// </summary>
    private const int FullWeight = 1024 * 1024;

    private readonly EndedMessages ended = new();

    /// <summary>Full, in order, behind the one in flight.</summary>
    private readonly List<Record> waiting = [];
    private Turn? gathering;
    private List<Action<IList<SessionOutput>>> gatheredLeaving = [];
    private Record? flight;

    /// <summary>As it is with the record in flight; null: it stays as it was.</summary>
    private SessionView? view;

    /// <summary>What is durable.</summary>
    public SessionState Committed { get; private set; } = initial;

    /// <summary>What is durable once the append in flight is; null when none is.</summary>
    public SessionState? InFlight => flight?.After;

    /// <summary>How much is decided, and not yet in flight, of what the box said.</summary>
    public long GatheredFromBox => (waiting.Count == 0 ? 0 : waiting.Sum(record => record.Turn.FromBox)) + (gathering?.FromBox ?? 0);

    /// <summary>The newest record that takes no more.</summary>
    private Record? Closed => waiting.Count > 0 ? waiting[^1] : flight;

    /// <summary>Committed, in flight and gathered.</summary>
    private SessionState Speculative => gathering?.State ?? Closed?.After ?? Committed;

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
        else if (Closed is { } closed) closed.Leaving.Add(action);
        else action(outputs);
    }

    /// <summary>Sends what gathered on its way, the oldest first, unless an append is in flight.</summary>
    public void Flush(IList<SessionOutput> outputs)
    {
        if (gathering is { IsEmpty: true }) gathering = null;
        if (gathering is not null && (gathering.Weight >= FullWeight || Closed is null)) Close(gathering);
        if (flight is not null || waiting.Count == 0) return;
        flight = waiting[0];
        waiting.RemoveAt(0);
        var (turn, after) = (flight.Turn, flight.After);
        view = turn.ChangesView ? SessionViewWriter.Write(after, ended) : null;
        outputs.Add(new SessionOutput.Append(new(
            Committed.Version,
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
            outputs.Add(new SessionOutput.Publish(new(events.Slices[0].Seq, events.Slices[^1].Seq, events.Utf8, events.Slices) { View = view }));
        foreach (var leave in flight.Leaving) leave(outputs);
        (flight, view) = (null, null);
    }

    /// <summary>Before the first step: the state as the journal tells it.</summary>
    public void Load(SessionState state) => Committed = state;

    private void Close(Turn turn)
    {
        waiting.Add(new(turn, turn.State with { Version = turn.State.Version + 1, LastAt = turn.Now }, gatheredLeaving));
        (gathering, gatheredLeaving) = (null, []);
    }

    /// <summary>What is decided, and the state behind it as the journal will tell it.</summary>
    private sealed record Record(Turn Turn, SessionState After, List<Action<IList<SessionOutput>>> Leaving);
}
