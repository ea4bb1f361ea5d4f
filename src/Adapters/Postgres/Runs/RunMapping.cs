using Coordinator.Ports.Record;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.Postgres;

/// <summary>A run to its row and back, without loss beyond the microsecond.</summary>
internal static class RunMapping
{
    public static RunRow ToRow(RunRecord run, int position, string previousHash) => new()
    {
        Org = run.Organization.Value,
        Id = run.Id.Value,
        Session = run.Session.Value,
        Position = position,
        Message = run.Message.Value,
        Ordinal = run.Ordinal,
        RequestedByKind = run.RequestedBy.Kind,
        RequestedById = run.RequestedBy.Id,
        RequestedByName = run.RequestedBy.DisplayName,
        Model = run.Model,
        Agent = run.Agent,
        Sandbox = run.Sandbox.Value,
        Generation = run.Generation,
        SandboxProvider = run.SandboxProvider,
        Outcome = run.Outcome,
        FailureCode = run.FailureCode,
        UsageModel = run.Usage.Model,
        InputTokens = run.Usage.InputTokens,
        OutputTokens = run.Usage.OutputTokens,
        ReasoningTokens = run.Usage.ReasoningTokens,
        CacheReadTokens = run.Usage.CacheReadTokens,
        CacheWriteTokens = run.Usage.CacheWriteTokens,
        CostUsd = run.Usage.CostUsd,
        QueuedAt = RunChain.Kept(run.QueuedAt),
        StartedAt = RunChain.Kept(run.StartedAt),
        EndedAt = RunChain.Kept(run.EndedAt),
        FirstSeq = run.FirstSeq,
        LastSeq = run.LastSeq,
        EventsDigest = run.EventsDigest,
        PreviousHash = previousHash,
        Hash = RunChain.HashOf(previousHash, run),
    };

    public static StoredRun ToStored(RunRow row) => new(
        new(
            new(row.Id),
            new(row.Org),
            new(row.Session),
            new(row.Message),
            row.Ordinal,
            new(row.RequestedByKind, row.RequestedById, row.RequestedByName),
            row.Model,
            row.Agent,
            new(row.Sandbox),
            row.Generation,
            row.SandboxProvider,
            row.Outcome,
            row.FailureCode,
            new ModelUsage(row.UsageModel, row.InputTokens, row.OutputTokens, row.ReasoningTokens, row.CacheReadTokens, row.CacheWriteTokens, row.CostUsd),
            row.QueuedAt,
            row.StartedAt,
            row.EndedAt,
            row.FirstSeq,
            row.LastSeq,
            row.EventsDigest),
        row.PreviousHash,
        row.Hash);
}
