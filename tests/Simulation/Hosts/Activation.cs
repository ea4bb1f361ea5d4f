using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Simulation.Box;
using Coordinator.Tests.Simulation.Invariants;
using Coordinator.Tests.Simulation.Mutations;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Hosts;

/// <summary>
/// The shell around one session's real machine while it is in memory, as the session host's is: the lease, the timer, the
/// links and the calls that wait. All I/O of the session is started here and its results go in as inputs.
/// </summary>
internal sealed class Activation(SimWorld world, SimHost host, int session, JournalLease lease, ISessionMachine machine)
{
    private static readonly TimeSpan HibernateAfter = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(30);

    private readonly Dictionary<long, Action<Result<SessionReply>?>> calls = [];
    private readonly List<Link> links = [];
    private readonly AppendPath append = new(world, host, session, lease);
    private readonly SpinWatch spin = new();
    private readonly long versionAtStart = machine.Version;
    private long snapshotVersion = machine.Version;
    private DateTimeOffset lastUsed;
    private DateTimeOffset? timer;
    private long lastCall;
    private bool ending;
    private LinkCloseReason closeLinksAs = LinkCloseReason.Failed;

    public int Session => session;

    public SimHost Host => host;

    public JournalLease Lease => lease;

    public bool IsOver { get; private set; }

    /// <summary>It takes nothing more, and waits for what it has sent to the database.</summary>
    public bool IsEnding => ending;

    public void Begin() => Step(new SessionInput.Activated());

    public void Call(Func<long, SessionInput> input, Action<Result<SessionReply>?> answered)
    {
        if (IsOver || ending)
        {
            answered(null);
            return;
        }

        var id = ++lastCall;
        calls.Add(id, answered);
        Step(input(id));
        if (calls.ContainsKey(id)) host.After(CallTimeout, () => Answer(id, null));
    }

    /// <summary>False: this activation is over and did not take it.</summary>
    public bool Post(SessionInput input)
    {
        if (IsOver || ending) return false;
        Step(input);
        return true;
    }

    public void AddLink(Link link) => links.Add(link);

    public void RemoveLink(Link link)
    {
        if (links.Remove(link)) Post(new SessionInput.BridgeDetached(link.Id));
    }

    /// <summary>Ends in order: what was decided is committed, then the lease is given back.</summary>
    public void BeginEnd(LinkCloseReason reason)
    {
        (ending, closeLinksAs) = (true, reason);
        if (!append.IsUnderWay) End(failed: false);
    }

    /// <summary>The process died.</summary>
    public void Die()
    {
        IsOver = true;
        if (!append.IsUnderWay) world.Audit.CompareFold(session, lease, machine);
    }

    private void Step(SessionInput input)
    {
        if (IsOver) return;
        var now = host.Clock;
        if (input is not SessionInput.AlarmDue) lastUsed = now;
        spin.Look(world, session, input);
        var outputs = new List<SessionOutput>();
        world.Stepped(this, input);
        try
        {
            machine.Step(input, now, outputs);
        }
        catch (Exception e) when (e is not InvariantBrokenException)
        {
            throw new InvariantBrokenException(Invariant.NothingThrows, $"session {session} on {input.GetType().Name}: {e}");
        }

        foreach (var output in outputs) Perform(output);
        if (!IsOver) Rest();
    }

    private void Perform(SessionOutput output)
    {
        switch (output)
        {
            case SessionOutput.Append a:
                Append(a.Record);
                break;
            case SessionOutput.Publish p:
                world.Audit.Published(session, p.Batch);
                world.Network.Publish(host, session, p.Batch);
                break;
            case SessionOutput.Reply r:
                world.Audit.Replied(session, r.Result);
                Answer(r.CallId, r.Result);
                break;
            case SessionOutput.SendToBox s:
                if (links.Find(link => link.Id == s.LinkId) is not { } to) break;
                world.Audit.SentToBox(session, to.SpoolId, s.Frame);
                to.Send(s.Frame);
                break;
            case SessionOutput.CloseLink c:
                links.Find(link => link.Id == c.LinkId)?.CloseByHost(c.Reason);
                break;
            case SessionOutput.StartEffect e:
                world.Effects.Start(this, e.EffectKey, e.Effect);
                break;
        }
    }

    private void Append(JournalAppend record)
    {
        if (world.Mutation == Mutation.SendBeforeClaim) Seams.SendBeforeClaim(record, links);
        append.Send(record, Appended);
        if (world.Mutation == Mutation.PublishBeforeAppend) host.After(TimeSpan.Zero, () => Commit(record.ExpectedVersion + 1));
    }

    /// <summary>Null: nobody knows, or it was refused for certain; this activation must end.</summary>
    private void Appended(long? version)
    {
        if (IsOver) return;
        if (version is not { } durable) End(failed: true);
        else if (world.Mutation != Mutation.PublishBeforeAppend) Commit(durable);
    }

    private void Commit(long version)
    {
        Step(new SessionInput.Committed(version));
        if (ending && !IsOver && !append.IsUnderWay) End(failed: false);
    }

    private void Answer(long callId, Result<SessionReply>? result)
    {
        if (!calls.Remove(callId, out var answered)) return;
        host.After(world.Delay(host.Dice), () => answered(result));
    }

    private void Rest()
    {
        if (ending) return;
        var now = host.Clock;
        var hibernateAt = machine.CanHibernate ? lastUsed + HibernateAfter : DateTimeOffset.MaxValue;
        if (hibernateAt <= now)
        {
            BeginEnd(LinkCloseReason.HostRestarting);
            return;
        }

        Set(machine.WakeAt is { } wake && wake < hibernateAt ? wake : hibernateAt, now);
        if (append.IsUnderWay || machine.Version - snapshotVersion < world.Plan.SnapshotEvery) return;
        snapshotVersion = machine.Version;
        if (host.ToDatabase.TakesRequests) world.Database.Save(session, lease, machine.Snapshot());
    }

    private void Set(DateTimeOffset wakeAt, DateTimeOffset now)
    {
        if (wakeAt == DateTimeOffset.MaxValue || timer == wakeAt) return;
        timer = wakeAt;
        var wait = wakeAt - now;
        host.After(wait < TimeSpan.FromMilliseconds(1) || world.Mutation == Mutation.TimerSpins ? TimeSpan.FromMilliseconds(1) : wait, () =>
        {
            if (timer != wakeAt || IsOver)
            {
                world.Nothing();
                return;
            }

            timer = null;
            Post(new SessionInput.AlarmDue());
        });
    }

    private void End(bool failed)
    {
        if (IsOver) return;
        IsOver = true;
        world.Trace($"host {host.Index} {(failed ? "loses" : "gives up")} session {session} at epoch {lease.Epoch}");
        var reaches = !world.Database.IsDown && host.ToDatabase.TakesRequests;
        if (!failed && reaches && machine.Version > versionAtStart && machine.Version > snapshotVersion) world.Database.Save(session, lease, machine.Snapshot());
        if (!append.IsUnderWay) world.Audit.CompareFold(session, lease, machine);
        if (reaches) world.Database.Release(session, lease);
        host.Forget(this);
        if (failed) host.LetFollowersGo(session);
        foreach (var link in links.ToArray()) link.CloseByHost(closeLinksAs);
        foreach (var id in calls.Keys.ToArray()) Answer(id, null);
    }
}
