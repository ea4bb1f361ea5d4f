using Coordinator.Modules.Sessions.Decisions;
using Coordinator.Modules.Sessions.Facts;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Actor;

/// <summary>
/// Whether the box is there: its socket, when it was last heard, and when its provider was last asked. A closed socket
/// is not a dead box; only the provider says that one is gone.
/// </summary>
internal sealed class BoxPresence(SessionLimits limits)
{
    private static readonly TimeSpan InspectEvery = TimeSpan.FromSeconds(15);

    private DateTimeOffset alone;
    private DateTimeOffset inspectedAt = DateTimeOffset.MinValue;

    public BoxLink? Link { get; private set; }

    /// <summary>When a socket of the box was last taken by this activation.</summary>
    public DateTimeOffset? AttachedAt { get; private set; }

    public void Begin(DateTimeOffset now) => alone = now;

    /// <summary>A newer socket replaces the older one.</summary>
    public void Attach(long linkId, long ackedN, IEnumerable<MessageId> atWork, DateTimeOffset now, IList<SessionOutput> outputs)
    {
        if (Link is { } old) outputs.Add(new SessionOutput.CloseLink(old.Id, LinkCloseReason.Replaced, "A newer connection of the same box took over."));
        Link = new(linkId, now) { AckedN = ackedN, AtWork = [.. atWork] };
        AttachedAt = now;
        inspectedAt = DateTimeOffset.MinValue;
    }

    /// <summary>The late close of an old socket changes nothing.</summary>
    public void Detach(long linkId, DateTimeOffset now)
    {
        if (Link?.Id != linkId) return;
        (Link, alone) = (null, now);
    }

    /// <summary>What the box is at work on already, since before a restore forgot it, has started as soon as it is its turn.</summary>
    public void TakeUp(Turn turn)
    {
        if (Link is { AtWork.Count: > 0 } link && turn.State.Running is { Status: MessageStatus.Dispatched } message && link.AtWork.Contains(message.Id)) BoxEvents.Started(turn, message);
    }

    /// <summary>Finds a link that has gone quiet, and a box that nothing was heard of for too long.</summary>
    public void Check(Turn turn, IList<SessionOutput> outputs)
    {
        if (Link is { } link && turn.Now - link.LastFrameAt >= limits.SandboxSilence)
        {
            outputs.Add(new SessionOutput.CloseLink(link.Id, LinkCloseReason.Failed, "No heartbeat."));
            (Link, alone) = (null, link.LastFrameAt);
        }

        var box = turn.State.Sandbox;
        if (Link is not null || box.Phase is not (SandboxPhase.Connected or SandboxPhase.Ready) || turn.Now - alone < limits.SandboxSilence) return;
        turn.Record(new Fact.SandboxSilent(turn.Now));
        turn.Show("sandbox.silent", null, json =>
        {
            json.WriteString("sandboxId", box.Id.ToString());
            json.WriteString("reason", "Nothing is heard of the box; its provider is being asked.");
        });
    }

    /// <summary>The handle to ask the provider about, when a box that should be there has no socket.</summary>
    public SandboxHandle? WantsInspection(SessionState state, DateTimeOffset now)
    {
        if (InspectDue(state) is not { } due || due > now) return null;
        inspectedAt = now;
        return state.Sandbox.Handle;
    }

    /// <summary>When to look again; null: the socket is enough, or there is no box.</summary>
    public DateTimeOffset? NextCheck(SessionState state, DateTimeOffset steppedAt)
    {
        if (Link is { } link) return state.Sandbox.IsLive ? link.LastFrameAt + limits.SandboxSilence : null;
        var inspect = InspectDue(state);
        if (state.Sandbox.Phase is not (SandboxPhase.Connected or SandboxPhase.Ready)) return inspect;
        var silent = alone + limits.SandboxSilence;
        return inspect is { } i && i < silent && i > steppedAt ? i : silent;
    }

    /// <summary>Tells the link of the message that the append in flight hands to its box, when nothing else holds up its prompt.</summary>
    public void Expect(SessionState committed, SessionState inFlight, IList<SessionOutput> outputs)
    {
        if (Link is not { IsWelcomed: true, AtWork.Count: 0 } link || inFlight.Running is not { Status: MessageStatus.Dispatched } message) return;
        if (committed.Running?.Id == message.Id || link.Expected == message.Id) return;
        link.Expected = message.Id;
        outputs.Add(new SessionOutput.ExpectPrompt(link.Id, message.Model));
    }

    /// <summary>Sends acknowledgements and the requests that this link has not had yet; closes the link of a box that is over.</summary>
    public void Serve(SessionState state, IList<SessionOutput> outputs)
    {
        if (Link is not { } link) return;
        if (!state.Sandbox.IsLive && state.Sandbox.Phase != SandboxPhase.Stopping)
        {
            outputs.Add(new SessionOutput.CloseLink(link.Id, LinkCloseReason.NotWanted, $"The box is {state.Sandbox.Phase}."));
            Link = null;
            return;
        }

        link.IsWelcomed |= outputs.Any(o => o is SessionOutput.SendToBox { Frame: HostFrame.Welcome } sent && sent.LinkId == link.Id);
        if (!link.IsWelcomed) return;
        if (state.Bridge is { } cursor && cursor.N > link.AckedN)
        {
            link.AckedN = cursor.N;
            outputs.Add(new SessionOutput.SendToBox(link.Id, new HostFrame.Ack(cursor.N, BridgeWindow.Default)));
        }

        var wanted = Reconciler.Frames(state, link.AtWork).ToList();
        if (link.Sent.Count > BoxLink.MostSent) link.Sent.IntersectWith(wanted.Select(one => one.Key));
        foreach (var (key, frame) in wanted)
            if (link.Sent.Add(key)) outputs.Add(new SessionOutput.SendToBox(link.Id, frame));
    }

    private DateTimeOffset? InspectDue(SessionState state)
    {
        var box = state.Sandbox;
        if (Link is not null || box.Handle is null || box.Phase is not (SandboxPhase.Booting or SandboxPhase.Connected or SandboxPhase.Ready or SandboxPhase.Silent)) return null;
        var from = (box.Phase == SandboxPhase.Booting && box.Since > alone ? box.Since : alone) + limits.InspectAfter;
        var again = inspectedAt == DateTimeOffset.MinValue ? from : inspectedAt + InspectEvery;
        return again > from ? again : from;
    }
}
