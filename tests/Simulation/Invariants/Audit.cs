using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Simulation.Box;
using Coordinator.Tests.Simulation.Mutations;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Invariants;

/// <summary>Looks at everything that leaves a part of the world, when it leaves, and compares it with what is durable at that moment.</summary>
internal sealed class Audit(SimWorld world)
{
    private readonly AgentAudit agents = new();
    private readonly HashSet<int> losses = [];
    private SessionAudit[] sessions = [.. Enumerable.Range(0, world.Plan.Sessions).Select(i => new SessionAudit(i, () => world.Now))];

    public SessionAudit Of(int session) => sessions[session];

    public void Appended(int session, JournalRecord record) =>
        sessions[session].Take(record, losses.Contains(session), world.Database.Row(session).Events);

    /// <summary>Something of this session was lost for which nobody here is to blame; a loss may be told from now on.</summary>
    public void LossIsKnown(int session) => losses.Add(session);

    /// <summary>The database went back: its journal is read anew, and whoever comes with a cursor of the lost future is told.</summary>
    public void Restored()
    {
        sessions = [.. sessions.Select((_, i) => new SessionAudit(i, () => world.Now))];
        for (var i = 0; i < sessions.Length; i++)
        {
            losses.Add(i);
            foreach (var record in world.Database.Row(i).Records) Appended(i, record);
        }

        agents.Forget(message => sessions.Any(s => s.Find(message) is { Dispatched: true }));
    }

    public void Published(int session, EventBatch batch)
    {
        foreach (var slice in batch.Events) IsDurable(session, slice.Seq, batch.Utf8.Span.Slice(slice.Offset, slice.Length), "published");
    }

    public void Shown(int session, int person, SessionCursor? cursor, long seq, ReadOnlySpan<byte> envelope)
    {
        IsDurable(session, seq, envelope, $"shown to person {person}");
        if (cursor?.Incarnation != world.Database.Row(session).Incarnation) throw new InvariantBrokenException(Invariant.ShownIsDurable, $"session {session}: person {person} at {cursor} was shown {seq} of another incarnation");
        if (seq != cursor?.Seq + 1) throw new InvariantBrokenException(Invariant.ShownIsDurable, $"session {session}: person {person} was shown {seq} after {cursor}");
    }

    public void Viewed(int session, SessionView? view)
    {
        if (view?.Cursor.Seq > world.Database.Row(session).Seq) throw new InvariantBrokenException(Invariant.ShownIsDurable, $"session {session}: a view at {view.Cursor} was shown");
    }

    public void Replied(int session, Result<SessionReply> reply)
    {
        if (!reply.IsSuccess) return;
        if (reply.Value is SessionReply.MessageAccepted accepted) Accepted(session, accepted.Message, world.Database.Restores);
        if (reply.Value is SessionReply.View view) Viewed(session, view.Session);
    }

    /// <param name="session">Where.</param>
    /// <param name="message">What.</param>
    /// <param name="restores">How often the database had gone back when it was asked.</param>
    public void Accepted(int session, MessageId message, int restores)
    {
        if (sessions[session].Find(message) is null && world.Database.Restores == restores)
            throw new InvariantBrokenException(Invariant.ShownIsDurable, $"session {session}: {message} was accepted and is not in the journal");
    }

    /// <param name="session">Where.</param>
    /// <param name="permission">The question.</param>
    /// <param name="person">Who was told that their answer counts.</param>
    /// <param name="restores">How often the database had gone back when they gave it.</param>
    public void Answered(int session, PermissionId permission, int person, int restores)
    {
        if (world.Database.Restores != restores) return;
        if (sessions[session].Find(permission) is not { } question)
            throw new InvariantBrokenException(Invariant.AnsweredOnce, $"session {session}: an answer to {permission} counts, which the journal does not know");

        if (question.Decision is null) throw new InvariantBrokenException(Invariant.AnsweredOnce, $"session {session}: an answer to {permission} counts and is not in the journal");
        if (question.AnsweredBy is { } other && other != person) throw new InvariantBrokenException(Invariant.AnsweredOnce, $"session {session}: {permission} was answered by persons {other} and {person}");
        question.AnsweredBy = person;
    }

    /// <param name="session">Where.</param>
    /// <param name="call">What was told to be counted.</param>
    /// <param name="restores">How often the database had gone back when it was asked.</param>
    public void Counted(int session, ModelCallId call, int restores)
    {
        if (!sessions[session].HasCounted(call) && world.Database.Restores == restores)
            throw new InvariantBrokenException(Invariant.CountedOnce, $"session {session}: {call} was counted and is not in the journal");
    }

    public void SentToBox(int session, string spoolId, HostFrame frame)
    {
        var audit = sessions[session];
        if (frame is HostFrame.Ack ack && ack.N > audit.DurableN(spoolId))
            throw new InvariantBrokenException(Invariant.NothingIsLostSilently, $"session {session}: event {ack.N} is acknowledged, {audit.DurableN(spoolId)} is durable");
        if (frame is HostFrame.Prompt prompt && audit.Find(prompt.Message) is not { Dispatched: true })
            throw new InvariantBrokenException(Invariant.RunsAtMostOnce, $"session {session}: {prompt.Message} is sent to its box before its dispatch is durable");
    }

    public void EffectStarted(int session, SessionEffect effect)
    {
        if (effect is SessionEffect.FlushRun flush && sessions[session].Find(flush.Run.Message)?.Outcome is null)
            throw new InvariantBrokenException(Invariant.OneRunPerMessage, $"session {session}: the run of {flush.Run.Message} is written before its end is durable");
    }

    public void BoxMade(SimBox box)
    {
        if (world.Provider.Boxes.Any(other => other != box && other.Sandbox == box.Sandbox && other.IsRunning))
            throw new InvariantBrokenException(Invariant.NoBoxIsLeft, $"{box} is the second of its id");
    }

    /// <summary>The control plane ends a box, or tells it to end itself.</summary>
    /// <param name="box">Which.</param>
    /// <param name="how">By what.</param>
    /// <param name="restores">How often the database had gone back when that was decided: the lost future may have decided it.</param>
    public void BoxTurnedAway(SimBox box, string how, int restores)
    {
        if (world.Database.Restores == restores && sessions[box.Session].Wants(box.Generation))
            throw new InvariantBrokenException(Invariant.NoBoxIsLeft, $"{box} is {how} while its session wants it");
    }

    /// <summary>A box that is welcomed has let go of no event that this journal does not hold: after a restore it must have begun anew.</summary>
    public void BoxListens(SimBox box, string spoolId, long acked)
    {
        if (acked > sessions[box.Session].DurableN(spoolId))
            throw new InvariantBrokenException(Invariant.NothingIsLostSilently, $"{box} has let go of event {acked} of {spoolId}, {sessions[box.Session].DurableN(spoolId)} is durable, and nobody is told");
    }

    public void AgentStarted(SimBox box, MessageId message, bool isOfThisPast)
    {
        world.Trace($"agent of {box} begins {message}");
        agents.Started(box, message, isOfThisPast ? sessions[box.Session] : null, world.Database.Restores);
    }

    public void AgentEnded(SimBox box, MessageId message)
    {
        world.Trace($"agent of {box} ends {message}");
        agents.Ended(box, message);
    }

    public void AgentToldDecision(SimBox box, PermissionId permission, bool allow)
    {
        if (box.Link is not { IsOfAnotherPast: false } || sessions[box.Session].Find(permission) is not { } question) return;
        if (question.Decision is not { } decision || (decision != PermissionDecision.Reject) != allow)
            throw new InvariantBrokenException(Invariant.AnsweredOnce, $"the agent of {box} is told {(allow ? "yes" : "no")} to {permission}; the journal says {question.Decision?.ToString() ?? "nothing"}");
    }

    /// <summary>Nothing in the box remembers what it ran; that nothing runs twice is the journal's affair alone then.</summary>
    public void DiskLost(SimBox box) => agents.DiskLost(box);

    public void AcceptancesLost(IEnumerable<MessageId> messages)
    {
        foreach (var message in messages) agents.Excuse(message);
    }

    /// <summary>What the writer held in memory is what the journal folds to.</summary>
    public void CompareFold(int session, JournalLease lease, ISessionMachine machine)
    {
        var row = world.Database.Row(session);
        // A fold that is broken on purpose would be found here and nowhere else.
        if (world.Mutation is Mutation.DoubleDispatch or Mutation.AnswerForgotten or Mutation.MoveForgotten or Mutation.CallsForgotten) return;
        if (row.Epoch != lease.Epoch || machine.Version != row.Version || row.Version == 0) return;
        var folded = world.Machines.Create(lease);
        foreach (var record in row.Records) folded.Replay(record);
        if (!folded.Snapshot().State.Span.SequenceEqual(machine.Snapshot().State.Span))
            throw new InvariantBrokenException(Invariant.FoldIsTheState, $"session {session} at version {row.Version}");
    }

    private void IsDurable(int session, long seq, ReadOnlySpan<byte> envelope, string what)
    {
        var events = world.Database.Row(session).Events;
        if (seq > events.Count) throw new InvariantBrokenException(Invariant.ShownIsDurable, $"session {session}: event {seq} was {what} and is not durable");
        if (!events[(int)seq - 1].Span.SequenceEqual(envelope)) throw new InvariantBrokenException(Invariant.ShownIsDurable, $"session {session}: event {seq} was {what} and is another one in the journal");
    }
}
