using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Facts;

/// <summary>
/// What happened, as the journal keeps it: the only input of the fold. A stored name is for ever; a changed meaning is a
/// new name, with readers shipped one release before writers.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "fact", UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization)]
[JsonDerivedType(typeof(SessionCreated), "sessionCreated")]
[JsonDerivedType(typeof(SessionRenamed), "sessionRenamed")]
[JsonDerivedType(typeof(SessionArchived), "sessionArchived")]
[JsonDerivedType(typeof(MessageQueued), "messageQueued")]
[JsonDerivedType(typeof(MessageEdited), "messageEdited")]
[JsonDerivedType(typeof(MessageMoved), "messageMoved")]
[JsonDerivedType(typeof(MessageDispatched), "messageDispatched")]
[JsonDerivedType(typeof(MessageStarted), "messageStarted")]
[JsonDerivedType(typeof(MessageCancelling), "messageCancelling")]
[JsonDerivedType(typeof(MessageEnded), "messageEnded")]
[JsonDerivedType(typeof(UsageRecorded), "usageRecorded")]
[JsonDerivedType(typeof(SandboxRequested), "sandboxRequested")]
[JsonDerivedType(typeof(SandboxPlaced), "sandboxPlaced")]
[JsonDerivedType(typeof(SandboxCreated), "sandboxCreated")]
[JsonDerivedType(typeof(SandboxCreateFailed), "sandboxCreateFailed")]
[JsonDerivedType(typeof(SandboxConnected), "sandboxConnected")]
[JsonDerivedType(typeof(SandboxReady), "sandboxReady")]
[JsonDerivedType(typeof(SandboxSilent), "sandboxSilent")]
[JsonDerivedType(typeof(SandboxHeard), "sandboxHeard")]
[JsonDerivedType(typeof(SandboxStopping), "sandboxStopping")]
[JsonDerivedType(typeof(SandboxLost), "sandboxLost")]
[JsonDerivedType(typeof(SandboxDestroyed), "sandboxDestroyed")]
[JsonDerivedType(typeof(SandboxDestroyFailed), "sandboxDestroyFailed")]
[JsonDerivedType(typeof(BridgeSpoolOpened), "bridgeSpoolOpened")]
[JsonDerivedType(typeof(BridgeAdvanced), "bridgeAdvanced")]
[JsonDerivedType(typeof(PermissionAsked), "permissionAsked")]
[JsonDerivedType(typeof(PermissionExtended), "permissionExtended")]
[JsonDerivedType(typeof(PermissionDecided), "permissionDecided")]
[JsonDerivedType(typeof(PermissionSettled), "permissionSettled")]
[JsonDerivedType(typeof(EnvironmentDetected), "environmentDetected")]
[JsonDerivedType(typeof(GraceGiven), "graceGiven")]
[JsonDerivedType(typeof(RunFlushed), "runFlushed")]
[JsonDerivedType(typeof(RunFlushFailed), "runFlushFailed")]
public abstract record Fact
{
    private Fact()
    {
    }

    /// <summary><paramref name="KnownEnvironment"/> is that of the repository's session before this one; null in records that were written without.</summary>
    public sealed record SessionCreated(Principal By, SessionSettings Settings, string Title, DateTimeOffset At, string? KnownEnvironment = null) : Fact;

    /// <summary>The session has another title.</summary>
    public sealed record SessionRenamed(string Title) : Fact;

    /// <summary>The session takes no more prompts, and its data may go.</summary>
    public sealed record SessionArchived(DateTimeOffset At) : Fact;

    /// <summary>A prompt was taken, at the end of the queue. <paramref name="Request"/> is its idempotency key, if it had one.</summary>
    public sealed record MessageQueued(MessageId Id, Principal By, string Text, string Model, RequestIdentity? Request, MessageId? RetryOf, DateTimeOffset At) : Fact;

    /// <summary>A queued message says something else.</summary>
    public sealed record MessageEdited(MessageId Id, string Text) : Fact;

    /// <summary><paramref name="Before"/> null: to the end of the queue.</summary>
    public sealed record MessageMoved(MessageId Id, MessageId? Before) : Fact;

    /// <summary>A message is for this box now. <paramref name="FirstSeq"/> numbers its first event; <paramref name="SeedHistory"/>: the agent must be told the conversation.</summary>
    public sealed record MessageDispatched(MessageId Id, SandboxId Sandbox, int Generation, bool SeedHistory, long FirstSeq, DateTimeOffset At) : Fact;

    /// <summary>The box has written the message down and runs it.</summary>
    public sealed record MessageStarted(MessageId Id, DateTimeOffset At) : Fact;

    /// <summary>
    /// The box was asked to stop the running message. <paramref name="Request"/> is the idempotency key of who asked, if it had one; of who
    /// asked too, after the first, it is all that counts. Null in records that were written without.
    /// </summary>
    public sealed record MessageCancelling(MessageId Id, CancelReason Reason, DateTimeOffset At, RequestIdentity? Request = null) : Fact;

    /// <summary>The end of a message, dispatched or not. <paramref name="Digest"/> covers its events up to <paramref name="LastSeq"/>.</summary>
    public sealed record MessageEnded(MessageId Id, MessageStatus Outcome, string? Code, string? Detail, long LastSeq, string Digest, DateTimeOffset At) : Fact;

    /// <summary>The gateway metered a model call; of no message when none ran. <paramref name="Call"/> is null in records that were written without.</summary>
    public sealed record UsageRecorded(MessageId? Message, ModelUsage Usage, ModelCallId? Call = null) : Fact;

    /// <summary>A box is wanted. The hash is of its token, SHA-256 in hex.</summary>
    public sealed record SandboxRequested(SandboxId Id, int Generation, string TokenHash, DateTimeOffset At) : Fact;

    /// <summary>Written before the box is asked for there: from now on it is made on this machine or nowhere.</summary>
    public sealed record SandboxPlaced(string Node, DateTimeOffset At) : Fact;

    /// <summary>The provider has made the box, and says how to find it.</summary>
    public sealed record SandboxCreated(SandboxHandle Handle, DateTimeOffset At) : Fact;

    /// <summary>Why is null in records that were written without. <paramref name="PlaceIsFree"/>: it is certain that the box is not where it was placed.</summary>
    public sealed record SandboxCreateFailed(DateTimeOffset NotBefore, string? Code = null, string? Detail = null, bool PlaceIsFree = false) : Fact;

    /// <summary>The box called back for the first time.</summary>
    public sealed record SandboxConnected(DateTimeOffset At) : Fact;

    /// <summary>The agent takes prompts. <paramref name="Resumed"/>: it still knows the conversation.</summary>
    public sealed record SandboxReady(string AgentName, string AgentVersion, bool Resumed, DateTimeOffset At) : Fact;

    /// <summary>Nothing was heard of the box for too long.</summary>
    public sealed record SandboxSilent(DateTimeOffset At) : Fact;

    /// <summary>A silent box is heard again.</summary>
    public sealed record SandboxHeard(DateTimeOffset At) : Fact;

    /// <summary>The box is to be ended, for this reason; <paramref name="KeepData"/>: the next one gets its workspace.</summary>
    public sealed record SandboxStopping(string Reason, string? Detail, bool KeepData, DateTimeOffset At) : Fact;

    /// <summary>The box is gone, or given up; what is left of it is to be ended all the same.</summary>
    public sealed record SandboxLost(string Reason, string? Detail, bool KeepData, DateTimeOffset At) : Fact;

    /// <summary>Nothing of the box runs any more; and, unless its data is kept, nothing of it is left.</summary>
    public sealed record SandboxDestroyed(bool KeptData, DateTimeOffset At) : Fact;

    /// <summary>The box could not be ended; the next try may be made then.</summary>
    public sealed record SandboxDestroyFailed(DateTimeOffset NotBefore) : Fact;

    /// <summary>The box numbers its events anew from 1.</summary>
    public sealed record BridgeSpoolOpened(int Generation, string SpoolId) : Fact;

    /// <summary>The box's events up to this number are taken.</summary>
    public sealed record BridgeAdvanced(long N) : Fact;

    /// <summary>The agent asks. <paramref name="EventData"/> is what people are shown (JSON text).</summary>
    public sealed record PermissionAsked(PermissionId Id, MessageId Message, string Permission, ImmutableList<string> Patterns, string EventData, DateTimeOffset ExpiresAt) : Fact;

    /// <summary>This side was away and is back: an open question can be answered for a while yet.</summary>
    public sealed record PermissionExtended(PermissionId Id, DateTimeOffset ExpiresAt) : Fact;

    /// <summary>
    /// A question is answered: by a person, a grant, or its deadline. <paramref name="Request"/> is the idempotency key of a person's answer, if
    /// it had one. Null in records that were written without.
    /// </summary>
    public sealed record PermissionDecided(PermissionId Id, PermissionDecision Decision, string? Note, DateTimeOffset At, RequestIdentity? Request = null) : Fact;

    /// <summary>The box has the decision, or nothing waits for it any more.</summary>
    public sealed record PermissionSettled(PermissionId Id) : Fact;

    /// <summary>What the repository needs, as the box found it (JSON text).</summary>
    public sealed record EnvironmentDetected(string Json) : Fact;

    /// <summary>This side was away and is back: what others owe it is waited for anew.</summary>
    public sealed record GraceGiven(DateTimeOffset At) : Fact;

    /// <summary>The run stands in the history.</summary>
    public sealed record RunFlushed(RunId Run) : Fact;

    /// <summary>
    /// The run history did not take the oldest run; the next try may be made then. With <paramref name="Refused"/> it refused that run for
    /// what it is, so that those behind it do not wait for it: it is offered again at <paramref name="RefusedUntil"/>. Readers that know of
    /// neither take it for a try that failed. Both null in records that were written without.
    /// </summary>
    public sealed record RunFlushFailed(DateTimeOffset NotBefore, RunId? Refused = null, DateTimeOffset? RefusedUntil = null) : Fact;
}
