using Coordinator.Ports;

namespace Coordinator.Adapters.Postgres;

/// <summary>A row of <c>run</c>; columns as in <c>0003_runs.sql</c>.</summary>
internal sealed class RunRow
{
    public required Guid Org { get; init; }

    public required Guid Id { get; init; }

    public required Guid Session { get; init; }

    public required int Position { get; init; }

    public required Guid Message { get; init; }

    public required int Ordinal { get; init; }

    public required PrincipalKind RequestedByKind { get; init; }

    public required string RequestedById { get; init; }

    public required string RequestedByName { get; init; }

    public required string Model { get; init; }

    public required string Agent { get; init; }

    public required Guid Sandbox { get; init; }

    public required int Generation { get; init; }

    public required string SandboxProvider { get; init; }

    public required string Outcome { get; init; }

    public string? FailureCode { get; init; }

    public required string UsageModel { get; init; }

    public required long InputTokens { get; init; }

    public required long OutputTokens { get; init; }

    public required long ReasoningTokens { get; init; }

    public required long CacheReadTokens { get; init; }

    public required long CacheWriteTokens { get; init; }

    public required decimal CostUsd { get; init; }

    public required DateTimeOffset QueuedAt { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset EndedAt { get; init; }

    public required long FirstSeq { get; init; }

    public required long LastSeq { get; init; }

    public required string EventsDigest { get; init; }

    public required string PreviousHash { get; init; }

    public required string Hash { get; init; }
}
