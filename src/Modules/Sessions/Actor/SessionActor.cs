using Coordinator.Modules.Sessions.Decisions;
using Coordinator.Modules.Sessions.Facts;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Actor;

/// <summary>
/// The synchronous actor of one session: <c>input -> Decide -> append -> committed -> publish, reply, ack -> Reconcile ->
/// start missing effects</c>. No task, channel or clock inside; a shell does the I/O and feeds results back.
/// </summary>
internal sealed class SessionActor(JournalLease lease, SessionLimits limits, IBoxTokenScheme tokens) : ISessionMachine
{
    private readonly CommitPipeline pipeline = new(SessionState.Initial(lease.Key, lease.Incarnation), limits);
    /// <summary>Effects started and not yet known, durably, to have ended: what <see cref="Reconcile"/> need not start.</summary>
    private readonly Dictionary<string, SessionEffect> running = new(StringComparer.Ordinal);
    private readonly BoxPresence presence = new(limits);
    private DateTimeOffset steppedAt;

    public long Version => pipeline.Committed.Version;

    public bool CanHibernate => pipeline.IsSettled && running.Count == 0 && presence.Link is null
        && !pipeline.Committed.Sandbox.IsLive && pipeline.Committed.Open.IsEmpty && !Deadlines.MustDestroy(pipeline.Committed);

    public DateTimeOffset? WakeAt
    {
        get
        {
            // What is due is decided and on its way: until its commit there is nothing to wake for.
            if (!pipeline.IsSettled) return null;
            var rows = Deadlines.Table.Min(row => row.Due(pipeline.Committed, limits, presence.AttachedAt) is { } due && (due > steppedAt || row.Expire is not null) ? (DateTimeOffset?)due : null);
            var box = presence.NextCheck(pipeline.Committed, steppedAt);
            return rows is null || box < rows ? box ?? rows : rows;
        }
    }

    public void Replay(JournalRecord record) => pipeline.Load(Evolver.Apply(pipeline.Committed, record));

    public bool Restore(JournalSnapshot snapshot)
    {
        if (StateCodec.Read(snapshot) is not { } state || state.Key != lease.Key) return false;
        pipeline.Load(state with { Incarnation = lease.Incarnation });
        return true;
    }

    public JournalSnapshot Snapshot() => StateCodec.Write(pipeline.Committed);

    public void Step(SessionInput input, DateTimeOffset now, IList<SessionOutput> outputs)
    {
        steppedAt = now;
        if (input is SessionInput.Committed committed) pipeline.Commit(committed.Version, outputs);
        else Take(pipeline.Turn(now), input, outputs);
        Progress.Make(pipeline.Turn(now), tokens);
        presence.TakeUp(pipeline.Turn(now));
        pipeline.Flush(outputs);
        if (pipeline.InFlight is { } inFlight) presence.Expect(pipeline.Committed, inFlight, outputs);
        Reconcile(now, outputs);
    }

    private void Take(Turn turn, SessionInput input, IList<SessionOutput> outputs)
    {
        switch (input)
        {
            case SessionInput.Called called:
                pipeline.Leave(new SessionOutput.Reply(called.CallId, Decider.Decide(turn, called.Command, tokens)), outputs);
                break;
            case SessionInput.BridgeReceived received:
                Receive(turn, received, outputs);
                break;
            case SessionInput.BridgeAttached attached:
                Attach(turn, attached, outputs);
                break;
            case SessionInput.BridgeDetached detached:
                presence.Detach(detached.LinkId, turn.Now);
                break;
            case SessionInput.EffectSettled settled when running.TryGetValue(settled.EffectKey, out var effect):
                EffectDecisions.Settle(turn, effect, settled.Outcome);
                pipeline.WhenDurable(_ => running.Remove(settled.EffectKey), outputs);
                break;
            case SessionInput.Activated:
                presence.Begin(turn.Now);
                Deadlines.GiveGrace(turn);
                PermissionDecisions.GiveGrace(turn);
                Deadlines.Play(turn);
                break;
            case SessionInput.AlarmDue:
                Deadlines.Play(turn, presence.AttachedAt);
                presence.Check(turn, outputs);
                break;
        }
    }

    private void Attach(Turn turn, SessionInput.BridgeAttached attached, IList<SessionOutput> outputs)
    {
        var answer = BridgeDecisions.Attach(turn, attached.Credential, attached.Hello, tokens);
        pipeline.Leave(new SessionOutput.Reply(attached.CallId, answer), outputs);
        if (!answer.IsSuccess) return;
        presence.Attach(attached.LinkId, turn.State.Bridge!.N, BridgeDecisions.AtWork(attached.Hello), turn.Now, outputs);
        var cursor = turn.State.Bridge;
        pipeline.Leave(new SessionOutput.SendToBox(attached.LinkId, new HostFrame.Welcome(turn.State.Incarnation, cursor.SpoolId, cursor.N, BridgeWindow.Default, turn.State.Settings!)), outputs);
    }

    private void Receive(Turn turn, SessionInput.BridgeReceived received, IList<SessionOutput> outputs)
    {
        if (presence.Link is not { } link || link.Id != received.LinkId) return;
        link.LastFrameAt = turn.Now;
        if (received.Frame is not BoxFrame.Event frame) return;
        var broken = IsBeyondWindow(turn, frame) ? "The box sent more than its window allows before it was acknowledged."
            : TakeFromBox(turn, frame) ? null
            : $"Event {frame.N} came after {turn.State.Bridge!.N}.";
        if (broken is null)
        {
            if (link.AtWork.Count > 0 && frame is { Kind: "message.ended", Message: { } ended }) link.AtWork.Remove(ended);
            return;
        }

        outputs.Add(new SessionOutput.CloseLink(link.Id, LinkCloseReason.ProtocolError, broken));
        presence.Detach(link.Id, turn.Now);
    }

    private static bool TakeFromBox(Turn turn, BoxFrame.Event frame)
    {
        var before = turn.Weight;
        var taken = BridgeDecisions.Take(turn, frame);
        turn.FromBox += turn.Weight - before;
        return taken;
    }

    /// <summary>
    /// A box that keeps to its window never gets here; the bounds are wide, so that only one that does not is cut off
    /// before it fills this host's memory.
    /// </summary>
    private bool IsBeyondWindow(Turn turn, BoxFrame.Event frame)
    {
        var cursor = turn.State.Bridge!;
        var durable = pipeline.Committed.Bridge is { } committed && committed.Generation == cursor.Generation && committed.SpoolId == cursor.SpoolId ? committed.N : 0;
        return frame.N > durable + (2L * BridgeWindow.Default.Events) || pipeline.GatheredFromBox > 2 * BridgeWindow.Default.Bytes;
    }

    /// <summary>Asks the committed state what is wanted, and starts what is missing.</summary>
    private void Reconcile(DateTimeOffset now, IList<SessionOutput> outputs)
    {
        var state = pipeline.Committed;
        foreach (var (key, effect) in Reconciler.Effects(state, now)) Start(key, effect, outputs);
        if (presence.WantsInspection(state, now) is { } handle) Start($"inspect:{handle.Id}", new SessionEffect.InspectSandbox(handle), outputs);
        presence.Serve(state, outputs);
    }

    private void Start(string key, SessionEffect effect, IList<SessionOutput> outputs)
    {
        if (running.ContainsKey(key) || (effect is SessionEffect.DestroySandbox destroy && running.ContainsKey($"create:{destroy.Sandbox}"))) return;
        running.Add(key, effect);
        outputs.Add(new SessionOutput.StartEffect(key, effect));
    }
}

/// <summary>Makes the actor of one activation.</summary>
public sealed class SessionMachineFactory(SessionLimits limits, IBoxTokenScheme tokens) : ISessionMachineFactory
{
    public ISessionMachine Create(JournalLease lease) => new SessionActor(lease, limits, tokens);
}
