namespace Coordinator.Ports.Session;

/// <summary>
/// Reaches the one live actor of a session, wherever it is. Calls to one session are turns: they never overlap, and
/// a reply is given only after what it stands on is durable.
/// </summary>
[Port(Plane.Session)]
public interface ISessionHost
{
    /// <summary>
    /// Runs one command as a turn, waking the session if it sleeps; <see cref="SessionCommand.GetView"/> alone wakes nobody. What it shows is
    /// durable, so that a host answers it while it drains and once it has: who looks need not know which host is the session's, or stops.
    /// Problem <c>session_not_found</c> (404) when there is none; other problems are the command's own refusals.
    /// </summary>
    /// <exception cref="PortException">
    /// The journal behind it failed; or, for all but a look, the host has drained, or drains and would have to take the session up. With
    /// <see cref="PortException.EffectMayHaveHappened"/> the command may have taken effect: retry it with the same idempotency key.
    /// </exception>
    ValueTask<Result<SessionReply>> CallAsync(SessionKey key, SessionCommand command, CancellationToken cancellationToken);

    /// <summary>
    /// Follows a session's events after <paramref name="after"/> (from the head when null) without waking it: first what
    /// the journal holds, then live, no gap and no duplicate. Problems: <c>session_not_found</c>, <c>cursor_invalid</c>
    /// (410: a foreign incarnation or ahead of the head; load the session anew).
    /// </summary>
    ValueTask<Result<ISessionSubscription>> SubscribeAsync(SessionKey key, SessionCursor? after, CancellationToken cancellationToken);

    /// <summary>
    /// Joins an authenticated bridge socket to the session's actor. Frames of one link are handled in order. The actor
    /// answers through <paramref name="sink"/>. Problems: those of <see cref="SessionCommand.AuthorizeBox"/>.
    /// </summary>
    ValueTask<Result<IBridgeLink>> AttachBridgeAsync(SessionKey key, BoxCredential credential, BridgeHello hello, IBridgeSink sink, CancellationToken cancellationToken);

    /// <summary>
    /// Says that work for a session goes on in this process, beside its actor, whose outcome the actor must be told: a model
    /// call, whose usage has to be recorded. A host that drains keeps the session, if it has it, and its own way to the hosts
    /// that have the others, until the hold is disposed; after a bounded time it asks for that by <see cref="ISessionHold.GivenUp"/>.
    /// Nothing is waited for and nobody is woken. Null: the host drains or has no peers to reach the session by, and the work must not begin here.
    /// </summary>
    ISessionHold? TryHold(SessionKey key);

    /// <summary>
    /// Stops taking activations and holds, lets appends in flight and what is held settle, closes links and subscriptions with
    /// <see cref="LinkCloseReason.HostRestarting"/>, and releases every lease. What it takes no more it refuses with a
    /// <see cref="PortException"/> that <see cref="PortException.IsPlanned"/>.
    /// </summary>
    ValueTask DrainAsync(CancellationToken cancellationToken);
}

/// <summary>Work for a session that its host waits for when it drains. Dispose when its outcome has been told.</summary>
public interface ISessionHold : IDisposable
{
    /// <summary>Cancelled when the host waits no longer: the work is to end at once, tell what it has come to, and let go.</summary>
    CancellationToken GivenUp { get; }
}

/// <summary>A place in a session's event sequence: <c>incarnation.seq</c>, opaque to clients.</summary>
public readonly record struct SessionCursor(int Incarnation, long Seq)
{
    /// <summary>The text that clients keep and send back.</summary>
    public override string ToString() => $"{Incarnation}.{Seq}";

    /// <summary>Reads that text; false for any other.</summary>
    public static bool TryParse(string? text, out SessionCursor cursor)
    {
        cursor = default;
        var dot = text?.IndexOf('.', StringComparison.Ordinal) ?? -1;
        if (dot <= 0) return false;
        const System.Globalization.NumberStyles Digits = System.Globalization.NumberStyles.None;
        var culture = System.Globalization.CultureInfo.InvariantCulture;
        if (!int.TryParse(text.AsSpan(0, dot), Digits, culture, out var incarnation) || !long.TryParse(text.AsSpan(dot + 1), Digits, culture, out var seq)) return false;
        cursor = new(incarnation, seq);
        return true;
    }
}

/// <summary>One follower of one session. Dispose to leave.</summary>
public interface ISessionSubscription : IAsyncDisposable
{
    /// <summary>
    /// The session's view when the subscription began, and the cursor it stands on (the head, when <c>after</c> was null). Its JSON is
    /// there until <see cref="ReadAsync"/> begins; implementations need not keep it longer.
    /// </summary>
    SessionView View { get; }

    /// <summary>After which event it began.</summary>
    SessionCursor Start { get; }

    /// <summary>
    /// Batches in order. Ends when the subscription is closed; <see cref="Closed"/> then says why. The buffer is
    /// bounded: a follower that does not keep up is closed as <see cref="SubscriptionCloseReason.TooSlow"/>, never waited for.
    /// </summary>
    IAsyncEnumerable<EventBatch> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Why it ended; null while it goes on.</summary>
    SubscriptionCloseReason? Closed { get; }
}

/// <summary>Why a follower is followed no more. The journal has what it missed.</summary>
public enum SubscriptionCloseReason
{
    /// <summary>It did not keep up, and its buffer is full.</summary>
    TooSlow,
    /// <summary>The host stops; follow again at once.</summary>
    HostRestarting,
    /// <summary>The session is no more.</summary>
    SessionDeleted,
    /// <summary>What gave the events failed; follow again from the last one seen.</summary>
    SourceFailed,
}

/// <summary>A session's public view (UTF-8 JSON, see docs/protocol.md) and the cursor it is true at.</summary>
public sealed record SessionView(SessionCursor Cursor, ReadOnlyMemory<byte> Json);

/// <summary>
/// Consecutive public events, serialized once: <see cref="Utf8"/> is the concatenation of the envelopes, comma
/// separated, and each event names its slice. The bytes are shared by all followers and must not be changed. What the journal
/// has merged is one event with the number of the last that it covers.
/// </summary>
public sealed record EventBatch(long FirstSeq, long LastSeq, ReadOnlyMemory<byte> Utf8, IReadOnlyList<EventSlice> Events)
{
    /// <summary>
    /// The session's view at these events or later, when they may have changed it; null when they did not, and for
    /// batches of the past that are followed by newer ones.
    /// </summary>
    public SessionView? View { get; init; }

    /// <summary>What is held for whoever holds this batch: its events, and the view beside them, which may be far larger.</summary>
    public int Bytes => Utf8.Length + (View?.Json.Length ?? 0);

    /// <summary>The part of this batch above <paramref name="seq"/>, sharing its bytes; null when nothing is above it.</summary>
    public EventBatch? After(long seq)
    {
        if (seq >= LastSeq) return null;
        if (Events.Count == 0 || seq < Events[0].Seq) return this;
        var skipped = SkippedBy(seq);
        var cut = Events[skipped].Offset;
        var rest = new EventSlice[Events.Count - skipped];
        for (var i = 0; i < rest.Length; i++)
        {
            var slice = Events[i + skipped];
            rest[i] = slice with { Offset = slice.Offset - cut };
        }

        return new(seq + 1, LastSeq, Utf8[cut..], rest) { View = View };
    }

    /// <summary>How many events are up to a number that some of them reaches: as many as their numbers say, unless some are merged.</summary>
    private int SkippedBy(long seq)
    {
        if (LastSeq - Events[0].Seq == Events.Count - 1) return (int)(seq - Events[0].Seq + 1);
        var (low, high) = (1, Events.Count - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Events[middle].Seq > seq) high = middle;
            else low = middle + 1;
        }

        return low;
    }
}

/// <summary>One event inside <see cref="EventBatch.Utf8"/>.</summary>
public readonly record struct EventSlice(long Seq, int Offset, int Length);

/// <summary>Hands a bridge's frames to the actor. Dispose when the socket is gone.</summary>
public interface IBridgeLink : IAsyncDisposable
{
    /// <summary>Gives one frame to the actor; returns when the actor took it (its window bounds what may wait).</summary>
    ValueTask PostAsync(BoxFrame frame, CancellationToken cancellationToken);
}

/// <summary>The actor's way back to the box; implemented by the bridge endpoint. Calls never block the actor.</summary>
public interface IBridgeSink
{
    /// <summary>Queues a frame to the box.</summary>
    void Send(HostFrame frame);

    /// <summary>
    /// A prompt for this model (<c>provider/model</c>) is being made durable and mostly follows: what its frame will need beside the
    /// session's words may be looked up meanwhile. A hint only: nothing is sent for it, and the prompt may come without it or never.
    /// </summary>
    void Expect(string model)
    {
    }

    /// <summary>Closes the socket after what was queued.</summary>
    void Close(LinkCloseReason reason, string detail);
}

/// <summary>Why a box's socket is closed, and the close code that says so.</summary>
public enum LinkCloseReason
{
    /// <summary>1012: reconnect at once.</summary>
    HostRestarting,
    /// <summary>4409: a newer connection of the same generation took over.</summary>
    Replaced,
    /// <summary>4410: this box is not wanted any more; final.</summary>
    NotWanted,
    /// <summary>4400: broke the protocol; reconnect and resend.</summary>
    ProtocolError,
    /// <summary>1011: something behind the actor failed; reconnect with backoff.</summary>
    Failed,
}
