using Coordinator.Ports.Record;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.Postgres;

/// <summary>A row as the run that it is.</summary>
internal static class RunMapping
{
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
