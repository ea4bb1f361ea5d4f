using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.SessionAccess;

/// <summary>The shape of a session's view, for the OpenAPI document: the bytes themselves are written by the session.</summary>
public sealed record SessionDocument(
    SessionId Id,
    string Title,
    string Status,
    string Model,
    string Agent,
    PermissionMode Permissions,
    RepositoryRef? Repository,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    Principal CreatedBy,
    string Cursor,
    SandboxDocument Sandbox,
    IReadOnlyList<MessageDocument> Messages,
    IReadOnlyList<JsonElement> PermissionsOpen,
    UsageDocument Usage);

/// <summary>The dev box of a session's view.</summary>
public sealed record SandboxDocument(SandboxId? Id, int Generation, string Status, string? Reason, AgentDocument? Agent);

/// <summary>The agent that runs in a box.</summary>
public sealed record AgentDocument(string Name, string Version);

/// <summary>A message of a session's view.</summary>
public sealed record MessageDocument(MessageId Id, string Status, string Text, string Model, int Position, DateTimeOffset QueuedAt, bool Cancelling, FailureDocument? Failure);

/// <summary>Why a message failed.</summary>
public sealed record FailureDocument(string Code, string Detail);

/// <summary>Metered tokens and their cost in US dollars.</summary>
public sealed record UsageDocument(long InputTokens, long OutputTokens, long ReasoningTokens, long CacheReadTokens, long CacheWriteTokens, decimal CostUsd);

/// <summary>An event as every follower sees it.</summary>
public sealed record EventDocument(string Cursor, long Seq, DateTimeOffset At, string Type, JsonElement Data)
{
    /// <summary>The first of the events that it covers; absent: itself alone.</summary>
    public long? From { get; init; }

    /// <summary>Absent when it belongs to no message.</summary>
    public MessageId? MessageId { get; init; }
}

/// <summary>A page of a list.</summary>
public sealed record PageDocument<T>(IReadOnlyList<T> Items, string? NextCursor);

/// <summary>A page of events; <c>cursor</c> is where it ends, <c>nextCursor</c> the same when more is there already.</summary>
public sealed record EventPageDocument(IReadOnlyList<EventDocument> Items, string Cursor, string? NextCursor);
