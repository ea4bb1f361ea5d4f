using Coordinator.Ports.Compute;

namespace Coordinator.Ports.Session;

/// <summary>
/// What can be asked of a session. Everything random or timed is a parameter, so that the same command decides the
/// same way wherever and whenever it is replayed.
/// </summary>
public abstract record SessionCommand
{
    private SessionCommand()
    {
    }

    /// <summary>
    /// Makes the session. A second one with the same parameters answers as the first; with others: <c>session_exists</c> (409).
    /// <paramref name="KnownEnvironment"/> is what an earlier session of the same repository discovered (JSON text), so
    /// that this one says only what has changed since; it is no parameter, because it may differ from try to try.
    /// </summary>
    public sealed record Create(Principal By, SessionSettings Settings, string Title, string? KnownEnvironment = null) : SessionCommand;

    /// <summary>
    /// Queues a message. The same <paramref name="Idempotency"/> answers the first acceptance again; the same key with
    /// another body is <c>idempotency_key_reused</c> (409). Problems: <c>session_archived</c> (409), <c>queue_full</c>
    /// (429), <c>prompt_too_large</c> (413), <c>prompt_empty</c> (422).
    /// </summary>
    public sealed record Prompt(Principal By, MessageId Message, RequestIdentity? Idempotency, string Text, string? Model, MessageId? RetryOf) : SessionCommand;

    /// <summary>Replaces the text of a queued message. Problems: <c>message_not_found</c> (404), <c>message_not_queued</c> (409).</summary>
    public sealed record EditMessage(Principal By, MessageId Message, string Text) : SessionCommand;

    /// <summary>Puts a queued message before another, or last when <paramref name="Before"/> is null. Problems as for editing.</summary>
    public sealed record MoveMessage(Principal By, MessageId Message, MessageId? Before) : SessionCommand;

    /// <summary>
    /// Cancels a queued message at once, or asks the box to stop the running one; with no message, the running one.
    /// Idempotent: a message that has ended stays as it ended, and the same <paramref name="Idempotency"/> that asked to stop the running
    /// one is answered again and stops no other; the same key with another body is <c>idempotency_key_reused</c> (409). Problems:
    /// <c>message_not_found</c> (404), <c>nothing_running</c> (409).
    /// </summary>
    public sealed record Cancel(Principal By, MessageId? Message, RequestIdentity? Idempotency = null) : SessionCommand;

    /// <summary>
    /// Answers an open permission question once. The same <paramref name="Idempotency"/> is told again that it has; the same key with another
    /// body is <c>idempotency_key_reused</c> (409). Problems: <c>permission_not_found</c> (404), <c>permission_already_answered</c> (409).
    /// </summary>
    public sealed record AnswerPermission(Principal By, PermissionId Permission, PermissionDecision Decision, string? Note, RequestIdentity? Idempotency = null) : SessionCommand;

    /// <summary>Gives the session another title. Problem: <c>title_invalid</c> (422).</summary>
    public sealed record Rename(Principal By, string Title) : SessionCommand;

    /// <summary>Cancels what is queued or running, stops the box and releases its data; no prompt is taken after it. Idempotent.</summary>
    public sealed record Archive(Principal By) : SessionCommand;

    /// <summary>
    /// Says whether a box is the one this session wants now. Problems: <c>box_credential_invalid</c> (401),
    /// <c>box_not_wanted</c> (410): an older generation, or the session wants no box.
    /// </summary>
    public sealed record AuthorizeBox(BoxCredential Credential) : SessionCommand;

    /// <summary>
    /// Adds metered model usage to the running message. What the same <paramref name="Call"/> has added already is not added again, and answered
    /// alike, as long as it is among the last so many of the session; null, from a host that names none, is taken each time. Problems: those of
    /// <see cref="AuthorizeBox"/>.
    /// </summary>
    public sealed record RecordUsage(BoxCredential Credential, ModelUsage Usage, ModelCallId? Call = null) : SessionCommand;

    /// <summary>The session as committed.</summary>
    public sealed record GetView : SessionCommand;
}

/// <summary>A caller's idempotency key in its principal's namespace, and the SHA-256 of what was asked with it (hex).</summary>
public sealed record RequestIdentity(string Scope, string Key, string BodyHash);

/// <summary>What a session was made with; fixed for its life but for <see cref="Model"/>, which a message may override for itself.</summary>
public sealed record SessionSettings(string Model, string Agent, RepositoryRef? Repository, PermissionMode Permissions);

/// <summary>A repository by URL and branch (null: its default branch). The URL holds no credential.</summary>
public sealed record RepositoryRef(string Url, string? Branch);

/// <summary>What an agent may do without asking.</summary>
public enum PermissionMode
{
    /// <summary>The agent works freely inside its sandbox; what reaches outside the workspace is refused.</summary>
    Auto,
    /// <summary>Commands and edits ask first.</summary>
    Ask,
}

/// <summary>An answer to an agent's question.</summary>
public enum PermissionDecision
{
    /// <summary>This time.</summary>
    Once,
    /// <summary>This and the like for the rest of the session; the grant lives in the session, never in the agent.</summary>
    Session,
    /// <summary>No.</summary>
    Reject,
}

/// <summary>
/// Tokens and money of one model call, metered at the gateway. Each token counts once: <see cref="InputTokens"/> without
/// what the cache read or wrote, <see cref="OutputTokens"/> with the <see cref="ReasoningTokens"/> that are a part of
/// them. Cost in US dollars.
/// </summary>
public sealed record ModelUsage(string Model, long InputTokens, long OutputTokens, long ReasoningTokens, long CacheReadTokens, long CacheWriteTokens, decimal CostUsd)
{
    /// <summary>Nothing was used.</summary>
    public static ModelUsage None { get; } = new(string.Empty, 0, 0, 0, 0, 0, 0m);

    /// <summary>Both together, under the name of <paramref name="other"/> if it has one.</summary>
    public ModelUsage Plus(ModelUsage other) => new(
        other.Model.Length > 0 ? other.Model : Model,
        InputTokens + other.InputTokens,
        OutputTokens + other.OutputTokens,
        ReasoningTokens + other.ReasoningTokens,
        CacheReadTokens + other.CacheReadTokens,
        CacheWriteTokens + other.CacheWriteTokens,
        CostUsd + other.CostUsd);
}

/// <summary>What a session answers.</summary>
public abstract record SessionReply
{
    private SessionReply()
    {
    }

    /// <summary>Done, or it was so already.</summary>
    public sealed record Done : SessionReply;

    /// <summary>The session as committed.</summary>
    public sealed record View(SessionView Session) : SessionReply;

    /// <summary><paramref name="Position"/> is 0 when it runs next; <paramref name="Replayed"/> when an earlier call was answered again.</summary>
    public sealed record MessageAccepted(MessageId Message, int Position, bool Replayed) : SessionReply;

    /// <summary>The box may go on; these are its settings. <paramref name="Handle"/> is the box as its provider named it, null while that has not answered.</summary>
    public sealed record BoxAuthorized(SessionSettings Settings, MessageId? Running, SandboxHandle? Handle = null) : SessionReply;
}
