using Coordinator.Ports;
using Coordinator.Ports.Record;

namespace Coordinator.Modules.Runs;

/// <summary>A run as the API shows it. Times are UTC, cost is in US dollars.</summary>
public sealed record RunView(
    RunId Id,
    OrganizationId Organization,
    SessionId Session,
    MessageId Message,
    int Ordinal,
    RunRequester RequestedBy,
    string Model,
    string Agent,
    SandboxId Sandbox,
    int Generation,
    string SandboxProvider,
    string Outcome,
    string? FailureCode,
    RunUsage Usage,
    DateTimeOffset QueuedAt,
    DateTimeOffset StartedAt,
    DateTimeOffset EndedAt,
    long FirstSeq,
    long LastSeq,
    string EventsDigest,
    string PreviousHash,
    string Hash)
{
    internal static RunView Of(StoredRun stored)
    {
        var run = stored.Run;
        var usage = run.Usage;
        return new(
            run.Id, run.Organization, run.Session, run.Message, run.Ordinal,
            new(run.RequestedBy.Kind, run.RequestedBy.Id, run.RequestedBy.DisplayName),
            run.Model, run.Agent, run.Sandbox, run.Generation, run.SandboxProvider, run.Outcome, run.FailureCode,
            new(usage.Model, usage.InputTokens, usage.OutputTokens, usage.ReasoningTokens, usage.CacheReadTokens, usage.CacheWriteTokens, usage.CostUsd),
            run.QueuedAt, run.StartedAt, run.EndedAt, run.FirstSeq, run.LastSeq, run.EventsDigest,
            stored.PreviousHash, stored.Hash);
    }
}

/// <summary>Who asked for a run.</summary>
public sealed record RunRequester(PrincipalKind Kind, string Id, string DisplayName);

/// <summary>What a run used, as metered at the model gateway. Cost in US dollars.</summary>
public sealed record RunUsage(string Model, long InputTokens, long OutputTokens, long ReasoningTokens, long CacheReadTokens, long CacheWriteTokens, decimal CostUsd);
