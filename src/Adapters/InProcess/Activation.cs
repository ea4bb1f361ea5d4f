using System.Threading.Channels;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess;

/// <summary>
/// The shell around one session's machine while it is in memory: a mailbox with one reader, the lease, the timer, the
/// links and the calls that wait. All I/O of the session is started here and its results go in as inputs.
/// </summary>
internal sealed class Activation
{
    /// <summary>Whoever sends without end, as a box may, keeps the mailbox from ever being empty: after so many inputs at most it is looked at what else there is to do.</summary>
    private const int MostInputsInARow = 256;

    /// <summary>While there is always something to do, what is due is done so late at most.</summary>
    private static readonly TimeSpan LongestUnlooked = TimeSpan.FromSeconds(1);

    private readonly ActivationServices services;
    private readonly JournalLease lease;
    private readonly ISessionMachine machine;
    private readonly SessionTail tail;
    private readonly Channel<SessionInput> mailbox;
    private readonly PendingCalls calls = new();
    private readonly BridgeLinks links = new();
    private readonly ITimer alarm;
    private readonly List<SessionOutput> outputs = [];
    private readonly WorkUnderWay work;
    private readonly SnapshotKeeper snapshots;
    private Task<long>? append;
    private DateTimeOffset lastUsed;
    private long lookedAt;
    private LinkCloseReason closeLinksAs = LinkCloseReason.Failed;
    private PortException? failure;

    /// <param name="covered">The version up to which a snapshot covers the session.</param>
    public Activation(ActivationServices services, JournalLease lease, ISessionMachine machine, long covered)
    {
        (this.services, this.lease, this.machine) = (services, lease, machine);
        mailbox = Channel.CreateBounded<SessionInput>(new BoundedChannelOptions(services.Options.MailboxCapacity) { SingleReader = true });
        (lastUsed, lookedAt) = (services.Time.GetUtcNow(), services.Time.GetTimestamp());
        snapshots = new(services, lease, machine, covered);
        work = new(() => services.Holds.Has(lease.Key), () => BeginEnd(LinkCloseReason.HostRestarting)); // for another host to do what is undone
        tail = services.Recent.Begin(lease);
        services.Followers.Announce(lease.Key, lease.Seq);
        // Who happened to wake the session is not who it works for from here on: its trace and its logging scope, and all that hangs on them, stay behind.
        using (ExecutionContext.SuppressFlow())
        {
            alarm = services.Time.CreateTimer(static self => ((Activation)self!).Ring(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            Ended = Task.Run(RunAsync);
        }
    }

    /// <summary>Completes when this activation is over and its lease given back. Never faults.</summary>
    public Task Ended { get; }

    /// <summary>Runs one input that is answered by a reply. Throws <see cref="ActivationOverException"/> when it was not taken any more.</summary>
    public async ValueTask<Result<SessionReply>> CallAsync(Func<long, SessionInput> input, CancellationToken cancellationToken)
    {
        var (callId, reply) = calls.Add();
        try
        {
            await PostAsync(input(callId), cancellationToken);
            return await reply.WaitAsync(services.Options.CallTimeout, services.Time, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new PortException(PortFailureKind.Timeout, "The session did not answer in time.", effectMayHaveHappened: true);
        }
        finally
        {
            calls.Forget(callId);
        }
    }

    /// <summary>Waits for room in the mailbox.</summary>
    public async ValueTask PostAsync(SessionInput input, CancellationToken cancellationToken)
    {
        try
        {
            await mailbox.Writer.WriteAsync(input, cancellationToken);
        }
        catch (ChannelClosedException)
        {
            throw new ActivationOverException();
        }
    }

    /// <summary>Wakes the machine for its deadlines. Dropped when the mailbox is full: they are looked at all the while then.</summary>
    public void Ring() => mailbox.Writer.TryWrite(new SessionInput.AlarmDue());

    /// <summary>Completes once no work outside of its turns is under way, begun by it or holding it. Only for a host that begins no more of it.</summary>
    public Task WhenFree() => work.WhenFree();

    /// <summary>To be told when what was under way may have ended.</summary>
    public void LookWhetherFree() => work.LookWhetherFree();

    public long AddLink(IBridgeSink sink) => links.Add(sink);

    /// <summary>Sends nothing more to the link, and tells the machine; an activation that is over needs no telling.</summary>
    public async ValueTask RemoveLinkAsync(long linkId)
    {
        links.Remove(linkId);
        while (await mailbox.Writer.WaitToWriteAsync())
            if (mailbox.Writer.TryWrite(new SessionInput.BridgeDetached(linkId))) return;
    }

    /// <summary>Ends the activation in order: what is in the mailbox is handled and committed, then the lease is released.</summary>
    public void BeginEnd(LinkCloseReason closeLinksAs)
    {
        this.closeLinksAs = closeLinksAs;
        mailbox.Writer.TryComplete();
    }

    /// <summary>
    /// True when something goes on in the session that its host is no more to watch: its box will mostly come to the next host
    /// by itself, but it may be dying too. One whose actor failed keeps its time, lest it fail again each second.
    /// </summary>
    private bool IsLeftAtWork => failure is null && !machine.CanHibernate && machine.WakeAt <= services.Time.GetUtcNow() + AlarmSweep.LongestLook;

    private async Task RunAsync()
    {
        try
        {
            Step(new SessionInput.Activated());
            await PumpAsync();
        }
        catch (Exception e)
        {
            services.Log.ActivationFailed(e, lease.Key);
            failure = e as PortException ?? new PortException(PortFailureKind.Unavailable, "The session's actor failed; it starts anew.", effectMayHaveHappened: true, inner: e);
        }

        await EndAsync();
    }

    /// <summary>Steps through inputs and commits until the mailbox is closed and everything is durable.</summary>
    private async Task PumpAsync()
    {
        Task<bool>? more = null;
        var closed = false;
        while (true)
        {
            var hasMore = TakeInputs();
            if (append is not null || hasMore) LookAtDeadlines();
            if (append is { IsCompleted: true } done)
            {
                append = null;
                Step(new SessionInput.Committed(await done));
                continue;
            }

            if (closed && append is null && !hasMore) return;
            Rest();
            if (hasMore)
            {
                await Task.Yield(); // to the other sessions
                continue;
            }

            if (!closed) more ??= mailbox.Reader.WaitToReadAsync().AsTask();
            if (append is null) await more!;
            else await Task.WhenAny(more is null ? [append] : [append, more]);
            if (more is not { IsCompleted: true }) continue;
            closed = !await more;
            more = null;
        }
    }

    /// <summary>Steps through the mailbox until it is empty, or an append has ended that people wait for. False when it is empty.</summary>
    private bool TakeInputs()
    {
        for (var taken = 0; append is not { IsCompleted: true }; taken++)
        {
            if (taken == MostInputsInARow) return true;
            if (!mailbox.Reader.TryRead(out var input)) return false;
            Step(input);
        }

        return true;
    }

    /// <summary>A machine of which something is always in flight, or which has always something to take, names no time to wake it at.</summary>
    private void LookAtDeadlines()
    {
        if (services.Time.GetElapsedTime(lookedAt) >= LongestUnlooked) Step(new SessionInput.AlarmDue());
    }

    private void Step(SessionInput input)
    {
        outputs.Clear();
        var now = services.Time.GetUtcNow();
        if (input is SessionInput.AlarmDue) lookedAt = services.Time.GetTimestamp();
        else lastUsed = now;
        machine.Step(input, now, outputs);
        // What a box was asked goes first, for its agent begins with it, and with it what is said to the box before, such as its
        // welcome; everything else is read by people.
        var boxesFirst = outputs.Exists(IsRequest);
        foreach (var output in outputs)
            if (boxesFirst && output is SessionOutput.SendToBox) Perform(output);
        foreach (var output in outputs)
            if (!boxesFirst || output is not SessionOutput.SendToBox) Perform(output);
    }

    private static bool IsRequest(SessionOutput output) => output is SessionOutput.SendToBox { Frame: not (HostFrame.Ack or HostFrame.Welcome) };

    private void Perform(SessionOutput output)
    {
        switch (output)
        {
            case SessionOutput.Append a:
                append = AppendAsync(a.Record);
                break;
            case SessionOutput.Publish p:
                tail.Add(p.Batch); // first: who comes to follow now finds it here, or is offered it
                services.Followers.Publish(lease.Key, p.Batch);
                break;
            case SessionOutput.Reply r:
                calls.Complete(r.CallId, r.Result);
                break;
            case SessionOutput.SendToBox s:
                links.Find(s.LinkId)?.Send(s.Frame);
                break;
            case SessionOutput.ExpectPrompt p:
                links.Find(p.LinkId)?.Expect(p.Model);
                break;
            case SessionOutput.CloseLink c:
                links.Find(c.LinkId)?.Close(c.Reason, c.Detail);
                break;
            case SessionOutput.StartEffect e:
                work.Begin();
                if (!services.Effects.Start(lease.Key, e.EffectKey, e.Effect, outcome => SettleAsync(e.EffectKey, outcome))) work.End(isUndone: true);
                break;
        }
    }

    /// <summary>Writes the append in flight and gives the version that is then durable; throws when this activation must end.</summary>
    private async Task<long> AppendAsync(JournalAppend record)
    {
        if (await services.Journal.AppendAsync(lease, record, CancellationToken.None)) return record.ExpectedVersion + 1;
        throw new PortException(PortFailureKind.Fenced, "Another activation has taken the session over.");
    }

    private async Task SettleAsync(string effectKey, EffectOutcome? outcome)
    {
        try
        {
            if (outcome is not null) await PostAsync(new SessionInput.EffectSettled(effectKey, outcome), CancellationToken.None);
        }
        catch (ActivationOverException)
        {
            services.Log.OutcomeDropped(effectKey, lease.Key);
        }

        work.End(isUndone: outcome is null);
    }

    /// <summary>Nothing to do for now: sets the timer, keeps a snapshot, and leaves memory when nothing needs this activation.</summary>
    private void Rest()
    {
        var now = services.Time.GetUtcNow();
        var hibernateAt = machine.CanHibernate ? lastUsed + services.Options.HibernateAfter : DateTimeOffset.MaxValue;
        if (hibernateAt <= now)
        {
            BeginEnd(LinkCloseReason.HostRestarting);
            return;
        }

        var wakeAt = machine.WakeAt is { } wake && wake < hibernateAt ? wake : hibernateAt;
        alarm.Change(wakeAt == DateTimeOffset.MaxValue ? Timeout.InfiniteTimeSpan : Later(wakeAt - now), Timeout.InfiniteTimeSpan);
        if (append is null) snapshots.KeepNowAndThen();
    }

    private static TimeSpan Later(TimeSpan wait) => wait < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : wait < TimeSpan.FromDays(1) ? wait : TimeSpan.FromDays(1);

    private async Task EndAsync()
    {
        mailbox.Writer.TryComplete();
        await alarm.DisposeAsync();
        services.Recent.End(lease.Key, tail);
        try
        {
            await snapshots.EndAsync(hasFailed: failure is not null);
            if (work.LeftUndone || IsLeftAtWork) await services.Journal.HandOverAsync(lease, CancellationToken.None);
            else await services.Journal.ReleaseAsync(lease, CancellationToken.None);
        }
        catch (Exception e)
        {
            // Whatever it is: an activation that does not end in order keeps the next one out for ever.
            services.Log.ReleaseFailed(e, lease.Key);
        }

        services.Forget(lease.Key, this);
        if (failure is not null) services.Followers.Close(lease.Key, SubscriptionCloseReason.SourceFailed);
        links.CloseAll(closeLinksAs, failure is null ? "The session's host gives it up." : "The session's actor failed.");
        calls.FailAll(failure ?? new PortException(PortFailureKind.Unavailable, "The session's host is stopping.", effectMayHaveHappened: true));
    }
}
