using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Fakes;

/// <summary>
/// Sessions whose actors never leave memory, each behind a lock: a turn steps the machine, makes its records durable at
/// once and goes on until nothing is left to do. Effects run beside it through the runners it is given.
/// </summary>
public sealed class InMemorySessionHost(ISessionMachineFactory machines, IReadOnlyList<ISessionEffectRunner> runners, TimeProvider time) : ISessionHost, IDisposable
{
    private const int FollowerEvents = 10_000;

    private readonly ISessionMachineFactory machines = machines;
    private readonly IReadOnlyList<ISessionEffectRunner> runners = runners;
    private readonly TimeProvider time = time;
    private readonly ConcurrentDictionary<SessionKey, Actor> actors = new();
    private readonly ConcurrentQueue<Task> effects = new();
    private readonly Lock gate = new();
    private readonly CancellationTokenSource givenUp = new();
    private readonly TaskCompletionSource letGo = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int held;
    private volatile bool closed;
    private volatile bool draining;

    /// <summary>How long a drain waits for what is held before it asks for its end.</summary>
    public TimeSpan SettleTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Faults of <see cref="CallAsync"/>; an after-effect one is a reply that was lost.</summary>
    public FaultSwitch Faults { get; } = new();

    public async ValueTask<Result<SessionReply>> CallAsync(SessionKey key, SessionCommand command, CancellationToken cancellationToken)
    {
        if (command is not SessionCommand.GetView && (draining || (closed && command is SessionCommand.Create))) throw Draining();
        return await Faults.Run(
            () =>
            {
                if (command is SessionCommand.Create) actors.GetOrAdd(key, k => new Actor(this, k));
                return actors.TryGetValue(key, out var actor) ? actor.Call(id => new SessionInput.Called(id, command)) : NotFound;
            },
            cancellationToken);
    }

    public ValueTask<Result<ISessionSubscription>> SubscribeAsync(SessionKey key, SessionCursor? after, CancellationToken cancellationToken)
    {
        if (closed) throw Draining();
        return new(actors.TryGetValue(key, out var actor) ? actor.Subscribe(after) : NotFound);
    }

    public ValueTask<Result<IBridgeLink>> AttachBridgeAsync(SessionKey key, BoxCredential credential, BridgeHello hello, IBridgeSink sink, CancellationToken cancellationToken)
    {
        if (draining) throw Draining();
        return new(actors.TryGetValue(key, out var actor) ? actor.Attach(credential, hello, sink) : NotFound);
    }

    public ISessionHold? TryHold(SessionKey key)
    {
        lock (gate)
        {
            if (closed) return null;
            held++;
            return new Hold(this);
        }
    }

    public async ValueTask DrainAsync(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            closed = true;
            if (held == 0) letGo.TrySetResult();
        }

        await letGo.Task.WaitAsync(SettleTime, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await givenUp.CancelAsync();
        await letGo.Task.WaitAsync(cancellationToken);
        draining = true;
        foreach (var actor in actors.Values) actor.Close();
        await Task.WhenAll(effects).WaitAsync(cancellationToken);
    }

    /// <summary>Tells every session that time has passed.</summary>
    public void RingAll()
    {
        foreach (var actor in actors.Values) actor.Step(new SessionInput.AlarmDue());
    }

    public void Dispose() => givenUp.Dispose();

    private static Problem NotFound { get; } = new("session_not_found", "There is no such session.", ProblemKind.NotFound);

    private static PortException Draining() => new(PortFailureKind.Unavailable, "The host is stopping.") { IsPlanned = true };

    /// <summary>One session: its machine, its journal and everybody joined to it.</summary>
    private sealed class Actor(InMemorySessionHost host, SessionKey key)
    {
        private readonly Lock gate = new();
        private readonly ISessionMachine machine = host.machines.Create(new(key, HostId.New(host.time), 1, 0, 0, 1));
        private readonly List<EventBatch> journal = [];
        private readonly List<Follower> followers = [];
        private readonly Dictionary<long, IBridgeSink> sinks = [];
        private readonly Dictionary<long, Result<SessionReply>> replies = [];
        private readonly Queue<SessionInput> inputs = new();
        private long lastId;

        private long Seq => journal.Count == 0 ? 0 : journal[^1].LastSeq;

        public Result<SessionReply> Call(Func<long, SessionInput> input)
        {
            lock (gate)
            {
                var id = ++lastId;
                Step(input(id));
                return replies.Remove(id, out var reply) ? reply : throw new InvalidOperationException("The machine did not reply.");
            }
        }

        public void Step(SessionInput input)
        {
            lock (gate)
            {
                inputs.Enqueue(input);
                while (inputs.TryDequeue(out var next))
                {
                    List<SessionOutput> outputs = [];
                    machine.Step(next, host.time.GetUtcNow(), outputs);
                    foreach (var output in outputs) Perform(output);
                }
            }
        }

        public Result<ISessionSubscription> Subscribe(SessionCursor? after)
        {
            lock (gate)
            {
                var view = Call(id => new SessionInput.Called(id, new SessionCommand.GetView()));
                if (!view.IsSuccess) return view.Problem;
                var start = after ?? new SessionCursor(1, Seq);
                if (start.Incarnation != 1 || start.Seq > Seq) return new Problem("cursor_invalid", "The cursor is not of this session's history.", ProblemKind.Gone);
                var follower = new Follower(((SessionReply.View)view.Value).Session, start, Leave);
                foreach (var batch in journal)
                    if (batch.After(start.Seq) is { } missing) follower.Replay(missing);
                followers.Add(follower);
                return follower;
            }
        }

        public Result<IBridgeLink> Attach(BoxCredential credential, BridgeHello hello, IBridgeSink sink)
        {
            lock (gate)
            {
                var link = ++lastId;
                sinks[link] = sink;
                var answer = Call(id => new SessionInput.BridgeAttached(link, id, credential, hello));
                if (answer.IsSuccess) return new Link(this, link);
                sinks.Remove(link);
                return answer.Problem;
            }
        }

        public void Close()
        {
            lock (gate)
            {
                foreach (var follower in followers) follower.Close(SubscriptionCloseReason.HostRestarting);
                foreach (var sink in sinks.Values) sink.Close(LinkCloseReason.HostRestarting, "The host is stopping.");
            }
        }

        private void Leave(Follower follower)
        {
            lock (gate) followers.Remove(follower);
        }

        private void Perform(SessionOutput output)
        {
            switch (output)
            {
                case SessionOutput.Append append:
                    inputs.Enqueue(new SessionInput.Committed(append.Record.ExpectedVersion + 1));
                    break;
                case SessionOutput.Publish publish:
                    journal.Add(publish.Batch with { View = null });
                    foreach (var follower in followers) follower.Offer(publish.Batch);
                    break;
                case SessionOutput.Reply reply:
                    replies[reply.CallId] = reply.Result;
                    break;
                case SessionOutput.SendToBox send when sinks.TryGetValue(send.LinkId, out var sink):
                    sink.Send(send.Frame);
                    break;
                case SessionOutput.CloseLink close when sinks.TryGetValue(close.LinkId, out var sink):
                    sink.Close(close.Reason, close.Detail);
                    break;
                case SessionOutput.StartEffect start:
                    host.effects.Enqueue(Task.Run(() => RunAsync(start)));
                    break;
            }
        }

        private async Task RunAsync(SessionOutput.StartEffect start)
        {
            EffectOutcome outcome;
            try
            {
                outcome = await host.runners.First(r => r.CanRun(start.Effect)).RunAsync(key, start.Effect, CancellationToken.None);
            }
            catch (Exception e)
            {
                outcome = new EffectOutcome.Failed(new("effect_failed", e.Message, ProblemKind.Unavailable), Retryable: true);
            }

            Step(new SessionInput.EffectSettled(start.EffectKey, outcome));
        }

        private sealed class Link(Actor actor, long id) : IBridgeLink
        {
            public ValueTask PostAsync(BoxFrame frame, CancellationToken cancellationToken)
            {
                actor.Step(new SessionInput.BridgeReceived(id, frame));
                return ValueTask.CompletedTask;
            }

            public ValueTask DisposeAsync()
            {
                lock (actor.gate) actor.sinks.Remove(id);
                actor.Step(new SessionInput.BridgeDetached(id));
                return ValueTask.CompletedTask;
            }
        }
    }

    private sealed class Hold(InMemorySessionHost host) : ISessionHold
    {
        private int left;

        public CancellationToken GivenUp { get; } = host.givenUp.Token;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref left, 1) != 0) return;
            lock (host.gate)
            {
                host.held--;
                if (host.closed && host.held == 0) host.letGo.TrySetResult();
            }
        }
    }

    private sealed class Follower(SessionView view, SessionCursor start, Action<Follower> leave) : ISessionSubscription
    {
        private readonly Queue<EventBatch> past = new();
        private readonly Channel<EventBatch> live = Channel.CreateBounded<EventBatch>(FollowerEvents); // a batch has an event at least
        private int pending;

        public SessionView View { get; } = view;

        public SessionCursor Start { get; } = start;

        public SubscriptionCloseReason? Closed { get; private set; }

        public void Replay(EventBatch batch) => past.Enqueue(batch);

        public void Offer(EventBatch batch)
        {
            if (Interlocked.Add(ref pending, batch.Events.Count) > FollowerEvents || !live.Writer.TryWrite(batch)) Close(SubscriptionCloseReason.TooSlow);
        }

        public void Close(SubscriptionCloseReason reason)
        {
            Closed ??= reason;
            live.Writer.TryComplete();
        }

        public async IAsyncEnumerable<EventBatch> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            while (past.TryDequeue(out var batch)) yield return batch;
            await foreach (var batch in live.Reader.ReadAllAsync(cancellationToken))
            {
                Interlocked.Add(ref pending, -batch.Events.Count);
                yield return batch;
            }
        }

        public ValueTask DisposeAsync()
        {
            leave(this);
            live.Writer.TryComplete();
            return ValueTask.CompletedTask;
        }
    }
}
