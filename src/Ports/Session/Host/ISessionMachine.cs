namespace Coordinator.Ports.Session;

/// <summary>
/// The synchronous heart of one session, as its shell (an <see cref="ISessionHost"/> adapter) sees it: inputs go in,
/// outputs come out, and nothing happens in between. Not thread safe; one step at a time.
/// </summary>
public interface ISessionMachine
{
    /// <summary>
    /// Folds one stored record in, oldest first, before <see cref="Step"/> is first called.
    /// Throws <see cref="UnknownRecordException"/> for a record this release cannot read.
    /// </summary>
    void Replay(JournalRecord record);

    /// <summary>Starts from a snapshot; false (nothing changed) when its shape is not this release's, or it is damaged.</summary>
    bool Restore(JournalSnapshot snapshot);

    /// <summary>Takes one input at <paramref name="now"/> and appends what is to be done to <paramref name="outputs"/>.</summary>
    void Step(SessionInput input, DateTimeOffset now, IList<SessionOutput> outputs);

    /// <summary>The committed state, for a snapshot.</summary>
    JournalSnapshot Snapshot();

    /// <summary>Version of the last committed record.</summary>
    long Version { get; }

    /// <summary>True when nothing is under way that needs this activation: the shell may let it leave memory.</summary>
    bool CanHibernate { get; }

    /// <summary>When the committed state next needs a wake-up; null: never.</summary>
    DateTimeOffset? WakeAt { get; }
}

/// <summary>Makes the machine of one activation.</summary>
public interface ISessionMachineFactory
{
    /// <summary>The machine of this activation, before any record is replayed.</summary>
    ISessionMachine Create(JournalLease lease);
}

/// <summary>The journal holds a record of a newer release; the session must not be activated here.</summary>
public sealed class UnknownRecordException(string message) : Exception(message);

/// <summary>
/// Does one kind of slow work that a session wants. Runs outside the actor's turn, may run twice for the same key,
/// and must be idempotent by it. A throw is reported to the actor as a failure.
/// </summary>
public interface ISessionEffectRunner
{
    /// <summary>Whether this is the runner of such an effect. At most one is.</summary>
    bool CanRun(SessionEffect effect);

    /// <summary>Does it, and says how it ended: expected failures are outcomes.</summary>
    ValueTask<EffectOutcome> RunAsync(SessionKey key, SessionEffect effect, CancellationToken cancellationToken);
}

/// <summary>What a machine is told.</summary>
public abstract record SessionInput
{
    private SessionInput()
    {
    }

    /// <summary>The activation begins: ask what is wanted right now.</summary>
    public sealed record Activated : SessionInput;

    /// <summary>A caller's command; the machine replies to <see cref="CallId"/> exactly once.</summary>
    public sealed record Called(long CallId, SessionCommand Command) : SessionInput;

    /// <summary>The append that the machine asked for is durable.</summary>
    public sealed record Committed(long Version) : SessionInput;

    /// <summary>A box's socket asks to be the session's; replied to like a call.</summary>
    public sealed record BridgeAttached(long LinkId, long CallId, BoxCredential Credential, BridgeHello Hello) : SessionInput;

    /// <summary>A frame of a link, in the link's order.</summary>
    public sealed record BridgeReceived(long LinkId, BoxFrame Frame) : SessionInput;

    /// <summary>A link's socket is gone.</summary>
    public sealed record BridgeDetached(long LinkId) : SessionInput;

    /// <summary>An effect that was started has ended.</summary>
    public sealed record EffectSettled(string EffectKey, EffectOutcome Outcome) : SessionInput;

    /// <summary>Time has passed: some deadline may be due.</summary>
    public sealed record AlarmDue : SessionInput;
}

/// <summary>What a machine wants done. In order; publishing, replying and starting effects only after the commit they stand on.</summary>
public abstract record SessionOutput
{
    private SessionOutput()
    {
    }

    /// <summary>Write this; at most one is outstanding. Answer with <see cref="SessionInput.Committed"/>, or end the activation.</summary>
    public sealed record Append(JournalAppend Record) : SessionOutput;

    /// <summary>Show these events, now durable, to all followers.</summary>
    public sealed record Publish(EventBatch Batch) : SessionOutput;

    /// <summary>Answers a call, once.</summary>
    public sealed record Reply(long CallId, Result<SessionReply> Result) : SessionOutput;

    /// <summary>Sends a frame over a link, if it is still there.</summary>
    public sealed record SendToBox(long LinkId, HostFrame Frame) : SessionOutput;

    /// <summary>Tells a link, if it is still there, that a prompt for this model is about to be durable and sent over it: a hint, which stands on no commit.</summary>
    public sealed record ExpectPrompt(long LinkId, string Model) : SessionOutput;

    /// <summary>Closes a link; its <see cref="SessionInput.BridgeDetached"/> may follow or not.</summary>
    public sealed record CloseLink(long LinkId, LinkCloseReason Reason, string Detail) : SessionOutput;

    /// <summary>Start this effect unless one with the same key is running; settle it with <see cref="SessionInput.EffectSettled"/>.</summary>
    public sealed record StartEffect(string EffectKey, SessionEffect Effect) : SessionOutput;
}
