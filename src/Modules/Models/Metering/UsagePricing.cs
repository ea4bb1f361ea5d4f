using Coordinator.Ports.Models;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Models.Metering;

/// <summary>What a call's tokens cost by the catalog's prices; zero for a model whose price is not known.</summary>
internal static class UsagePricing
{
    private const decimal TokensPerPrice = 1_000_000m;

    public static ModelUsage Price(string model, TokenCounts counts, ModelEntry? entry)
    {
        var cost = entry is null
            ? 0m
            : ((counts.Input * entry.InputPrice) + (counts.Output * entry.OutputPrice) + (counts.CacheRead * entry.CacheReadPrice) + (counts.CacheWrite * entry.CacheWritePrice)) / TokensPerPrice;
        return new(model, counts.Input, counts.Output, counts.Reasoning, counts.CacheRead, counts.CacheWrite, cost);
    }
}
