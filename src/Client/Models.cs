using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coordinator.Client;

/// <summary>A session as the API shows it (docs/protocol.md, section 1).</summary>
public sealed record Session(
    string Id,
    string Title,
    string Status,
    string Model,
    string Agent,
    string Permissions,
    Repository? Repository,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    Principal CreatedBy,
    string Cursor,
    SessionSandbox Sandbox,
    IReadOnlyList<SessionMessage> Messages,
    Usage Usage);

/// <summary>A repository by URL; no credential in it. Branch null: its default branch.</summary>
public sealed record Repository(string Url, string? Branch = null);

/// <summary>Who did something: <c>user</c> or <c>apiKey</c>, by id.</summary>
public sealed record Principal(string Kind, string Id, string DisplayName);

/// <summary>The session's box. Status: none, requested, booting, connected, ready, silent, stopping, stopped, lost.</summary>
public sealed record SessionSandbox(string? Id, int Generation, string Status, string? Reason);

/// <summary>A message of a session. Status: queued, dispatched, running, completed, failed, cancelled.</summary>
public sealed record SessionMessage(string Id, string Status, string Text, string Model, int Position, bool Cancelling, Failure? Failure);

/// <summary>Why a message failed.</summary>
public sealed record Failure(string Code, string? Detail);

/// <summary>Tokens and cost; cost in US dollars.</summary>
public sealed record Usage(long InputTokens, long OutputTokens, long ReasoningTokens, long CacheReadTokens, long CacheWriteTokens, decimal CostUsd);

/// <summary>What to make a session from. There is no default model.</summary>
public sealed record NewSession(string Model, string? Title = null, Repository? Repository = null, string? Agent = null, string? Permissions = null, string? Prompt = null);

/// <summary>
/// One public event. Unknown types are to be ignored. <paramref name="Cursor"/> is of when it was written, maybe before the server was
/// restored: go on after what the follower or the page says.
/// </summary>
public sealed record SessionEvent(string Cursor, long Seq, DateTimeOffset At, string Type, string? MessageId, JsonElement Data)
{
    /// <summary>
    /// The first of the events that it covers, where what was said piece by piece was merged since; null: itself alone. A follower that
    /// resumes within the range is given all of it: its text belongs at its <c>offset</c>, over what is there.
    /// </summary>
    public long? From { get; init; }

    /// <summary>A text member of the data, or null.</summary>
    public string? Text(string name) =>
        Data.ValueKind == JsonValueKind.Object && Data.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

/// <summary>A queued prompt: its message, and how many wait before it.</summary>
public sealed record AcceptedMessage(string MessageId, int Position);

/// <summary>What a repository needs, found from its files.</summary>
public sealed record DetectedEnvironment(string? PackageManager, int FileCount, EnvironmentCommands Commands);

/// <summary>Shell commands of a repository; null where none was found.</summary>
public sealed record EnvironmentCommands(string? Install, string? Build, string? Test, string? Start);

/// <summary>One finished run of the history, with its place in the session's hash chain.</summary>
public sealed record Run(
    string Id,
    string Organization,
    string Session,
    string Message,
    int Ordinal,
    Principal RequestedBy,
    string Model,
    string Outcome,
    string? FailureCode,
    Usage Usage,
    DateTimeOffset QueuedAt,
    DateTimeOffset StartedAt,
    DateTimeOffset EndedAt,
    long FirstSeq,
    long LastSeq,
    string EventsDigest,
    string PreviousHash,
    string Hash);

/// <summary>A model that can be named, and whether the organization has what its provider needs.</summary>
public sealed record Model([property: JsonPropertyName("model")] string Name, string DisplayName, string Provider, bool IsDemo, bool Ready);

/// <summary>One page of a list; NextCursor null at its end.</summary>
public sealed record Page<T>(IReadOnlyList<T> Items, string? NextCursor);

/// <summary>One page of a session's events. <see cref="Cursor"/> is where it ends, what to go on after.</summary>
public sealed record EventPage(IReadOnlyList<SessionEvent> Items, string Cursor, string? NextCursor)
{
    /// <summary>What to go on after to have everything behind one event of this page: its own <see cref="SessionEvent.Cursor"/> may be of before a restore.</summary>
    public string CursorAfter(SessionEvent e) => PlacedEvent.InStreamOf(Cursor, e).At;
}

/// <summary>Who is signed in.</summary>
public sealed record Me(Principal Principal, OrganizationName Organization, string Role);

/// <summary>An organization's id and name.</summary>
public sealed record OrganizationName(string Id, string Name);

/// <summary>A new API key; <see cref="Key"/> is shown this once.</summary>
public sealed record NewApiKey(string Id, string Name, string Key);

internal sealed record SignIn(string Link);

internal sealed record ApiKeyRequest(string Name);

internal sealed record PromptRequest(string Text, string? Model, string? RetryOf);

internal sealed record CancelRequest(string? MessageId);

internal sealed record PermissionAnswer(string Decision, string? Note);

internal sealed record DetectRequest(Repository Repository);

internal sealed record ProblemBody(string? Code, string? Detail, string? Title, string? TraceId);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Session))]
[JsonSerializable(typeof(SessionEvent))]
[JsonSerializable(typeof(Page<Session>))]
[JsonSerializable(typeof(Page<Run>))]
[JsonSerializable(typeof(Page<Model>))]
[JsonSerializable(typeof(EventPage))]
[JsonSerializable(typeof(NewSession))]
[JsonSerializable(typeof(AcceptedMessage))]
[JsonSerializable(typeof(DetectedEnvironment))]
[JsonSerializable(typeof(Me))]
[JsonSerializable(typeof(NewApiKey))]
[JsonSerializable(typeof(SignIn))]
[JsonSerializable(typeof(ApiKeyRequest))]
[JsonSerializable(typeof(PromptRequest))]
[JsonSerializable(typeof(CancelRequest))]
[JsonSerializable(typeof(PermissionAnswer))]
[JsonSerializable(typeof(DetectRequest))]
[JsonSerializable(typeof(ProblemBody))]
internal sealed partial class ClientJson : JsonSerializerContext;
