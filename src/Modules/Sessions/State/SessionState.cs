using System.Collections.Immutable;
using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.State;

/// <summary>Everything a session is, folded from its journal; nothing else is state. Immutable, so that a fold can be kept while the next goes on.</summary>
public sealed record SessionState
{
    public required SessionKey Key { get; init; }

    public required int Incarnation { get; init; }

    public long Version { get; init; }

    /// <summary>Sequence number of the last public event.</summary>
    public long Seq { get; init; }

    /// <summary>Time of the last record; never decreases.</summary>
    public DateTimeOffset LastAt { get; init; }

    public SessionStatus Status { get; init; }

    public string Title { get; init; } = string.Empty;

    public SessionSettings? Settings { get; init; }

    public Principal? CreatedBy { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>The message that is dispatched or running, if any; then the queue in order.</summary>
    public ImmutableList<Message> Open { get; init; } = [];

    /// <summary>The last ended ones, oldest first; without their full text.</summary>
    public ImmutableList<Message> Ended { get; init; } = [];

    public Sandbox Sandbox { get; init; } = Sandbox.None;

    public BridgeCursor? Bridge { get; init; }

    /// <summary>Questions that are open, or decided and not yet confirmed by the box; the end of their turn forgets them.</summary>
    public ImmutableSortedDictionary<string, PermissionQuestion> Permissions { get; init; } = ImmutableSortedDictionary<string, PermissionQuestion>.Empty;

    /// <summary>What was allowed for the rest of the session: <c>permission\npattern</c>.</summary>
    public ImmutableSortedSet<string> Grants { get; init; } = [];

    /// <summary>Idempotency keys of prompts, of what stopped a running one, and of answers to questions, by <c>scope\nkey</c>.</summary>
    public ImmutableDictionary<string, RememberedRequest> Requests { get; init; } = ImmutableDictionary<string, RememberedRequest>.Empty;

    /// <summary><see cref="Requests"/>, the oldest first; null when it is to be made anew, after a snapshot.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    internal ImmutableQueue<KeyValuePair<string, RememberedRequest>>? RequestsByAge { get; init; }

    public ModelUsage Usage { get; init; } = ModelUsage.None;

    /// <summary>The model calls that <see cref="Usage"/> counted last, oldest first: none counts twice.</summary>
    public ImmutableList<ModelCallId> RecordedCalls { get; init; } = [];

    public int RunCount { get; init; }

    /// <summary>Finished runs on their way to the history, in order.</summary>
    public ImmutableList<RunRecord> Outbox { get; init; } = [];

    /// <summary>Finished runs that the history refused for what they are, in nobody's way: offered again much later.</summary>
    public ImmutableList<RefusedRun> Refused { get; init; } = [];

    public int FlushFailures { get; init; }

    public DateTimeOffset? FlushNotBefore { get; init; }

    /// <summary>Hash over the running message's events so far.</summary>
    public RunDigest Digest { get; init; } = RunDigest.Empty;

    /// <summary>The environment as this session last discovered it (JSON text).</summary>
    public string? Environment { get; init; }

    /// <summary>The environment as the repository's session before this one knew it (JSON text).</summary>
    public string? KnownEnvironment { get; init; }

    /// <summary>When this side came back and found a wait for others under way; the last few, oldest first.</summary>
    public ImmutableList<DateTimeOffset> Graces { get; init; } = [];

    /// <summary>True once some turn has reached an agent: a fresh conversation must then be told the history.</summary>
    public bool HasConversation { get; init; }

    [System.Text.Json.Serialization.JsonIgnore]
    public Message? Running => Open.Count > 0 && Open[0].Status != MessageStatus.Queued ? Open[0] : null;

    [System.Text.Json.Serialization.JsonIgnore]
    public int QueuedCount => Open.Count - (Running is null ? 0 : 1);

    public static SessionState Initial(SessionKey key, int incarnation) => new() { Key = key, Incarnation = incarnation };
}

/// <summary>What a session is for.</summary>
public enum SessionStatus
{
    /// <summary>Nothing was ever appended.</summary>
    None,
    Created,
    Active,
    Archived,
}

/// <summary>Where the numbered event stream of the box stands: (generation, spool, n) of the last event taken.</summary>
public sealed record BridgeCursor(int Generation, string SpoolId, long N);

/// <summary>A run that the history refused so many times, and when it may be offered again.</summary>
public sealed record RefusedRun(RunRecord Run, int Times, DateTimeOffset NotBefore);

/// <summary>What an idempotency key was used for.</summary>
public sealed record RememberedRequest(string BodyHash, MessageId Message, DateTimeOffset At);

/// <summary>
/// A question of the agent. <see cref="Decision"/> is null while it is open. <see cref="EventData"/> is what was shown when it
/// was asked, and like <see cref="Patterns"/> kept only until it is decided: until its box confirms, the decision is all that is
/// wanted of it. <see cref="Extensions"/> counts how often <see cref="ExpiresAt"/> was moved since.
/// </summary>
public sealed record PermissionQuestion(
    PermissionId Id,
    MessageId Message,
    string Permission,
    ImmutableList<string> Patterns,
    string EventData,
    DateTimeOffset ExpiresAt,
    PermissionDecision? Decision,
    string? Note,
    DateTimeOffset? DecidedAt,
    int Extensions = 0)
{
    /// <summary>In the place of what was shown.</summary>
    public const string NotKept = "{}";
}
