using System.Text.Json;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.OpenCode.Turns;

/// <summary>Sums what the messages of a turn have used. Each message's latest count replaces the ones before.</summary>
internal sealed class TurnUsage
{
    private readonly Dictionary<string, AgentTokens> messages = new(StringComparer.Ordinal);

    public AgentTokens Total => messages.Values.Aggregate(AgentTokens.None, static (sum, one) => new AgentTokens(
        sum.Input + one.Input,
        sum.Output + one.Output,
        sum.Reasoning + one.Reasoning,
        sum.CacheRead + one.CacheRead,
        sum.CacheWrite + one.CacheWrite,
        sum.CostUsd + one.CostUsd));

    public void Apply(string message, JsonElement info)
    {
        if (info.Member("tokens") is not { } tokens) return;
        var cache = tokens.Member("cache");
        messages[message] = new AgentTokens(
            tokens.Number("input") ?? 0,
            tokens.Number("output") ?? 0,
            tokens.Number("reasoning") ?? 0,
            cache?.Number("read") ?? 0,
            cache?.Number("write") ?? 0,
            info.Amount("cost") ?? 0);
    }
}
