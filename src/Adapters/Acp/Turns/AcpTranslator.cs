using System.Globalization;
using System.Text.Json;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.Acp.Turns;

/// <summary>
/// Turns the protocol's messages of one turn into updates. Synchronous, without I/O: recorded transcripts test it. The
/// call ids of agents may repeat from turn to turn, ours do not: they begin with <paramref name="turn"/>.
/// </summary>
internal sealed class AcpTranslator(string turn, string workspace, decimal? costBefore, TimeProvider time)
{
    private readonly string root = workspace.TrimEnd('/') + "/";
    private readonly Dictionary<string, ToolCall> tools = new(StringComparer.Ordinal);
    private readonly MessageParts parts = new(turn);
    private int calls;

    /// <summary>What the conversation has cost so far, as the agent counts it; null until it says.</summary>
    public decimal? Cost { get; private set; } = costBefore;

    private decimal? firstCost = costBefore;

    /// <summary>Takes the <c>update</c> of a <c>session/update</c>. An unknown one does nothing.</summary>
    public void Update(JsonElement update, bool cancelled, List<AgentUpdate> updates)
    {
        switch (update.Text("sessionUpdate"))
        {
            case "agent_message_chunk":
                parts.Append(thought: false, update.Text("messageId"), update.Member("content")?.Text("text") ?? "", updates);
                break;
            case "agent_thought_chunk":
                parts.Append(thought: true, update.Text("messageId"), update.Member("content")?.Text("text") ?? "", updates);
                break;
            case "tool_call" or "tool_call_update" when update.Text("toolCallId") is { } id:
                Tool(id, update, cancelled, updates);
                break;
            case "plan":
                updates.Add(Plan(update.Items("entries")));
                break;
            case "usage_update":
                Cost = update.Member("cost")?.Amount("amount") ?? Cost;
                firstCost ??= Cost;
                break;
        }
    }

    /// <summary>Takes the agent's question whether a tool may run; the tool has begun with it.</summary>
    public AgentUpdate.PermissionAsked Ask(string permissionId, JsonElement question, List<AgentUpdate> updates)
    {
        var asked = question.Member("toolCall") ?? default;
        var tool = Call(asked.Text("toolCallId") ?? "", renew: false);
        tool.Apply(asked, updates, cancelled: false);
        tool.Start(updates);
        parts.Break();
        var input = asked.Member("rawInput") is { ValueKind: JsonValueKind.Object } arguments ? arguments : default;
        var pattern = input.Text("command") ?? asked.Items("locations").Select(location => location.Text("path")).FirstOrDefault(path => path is not null) ?? asked.Text("title") ?? "";
        return new AgentUpdate.PermissionAsked(permissionId, tool.Id, asked.Text("kind") ?? "other", [pattern], asked.Text("title"), input.ValueKind == JsonValueKind.Object ? input.GetRawText() : null);
    }

    /// <summary>The turn's end, from the answer to its prompt.</summary>
    public AgentUpdate.TurnEnded End(JsonElement answer, bool cancelled, List<AgentUpdate> updates)
    {
        if (answer.Member("error") is { } error) return Close(cancelled, Failure(error), default, updates);
        var result = answer.Member("result") ?? default;
        return result.Text("stopReason") switch
        {
            "cancelled" => Close(cancelled: true, null, result, updates),
            "refusal" => Close(cancelled, ("model_error", "The model refused to answer. Ask differently, or choose another model."), result, updates),
            "max_turn_requests" => Close(cancelled, ("model_error", "The agent used up its requests for one turn. Tell it to go on."), result, updates),
            _ when !parts.AnyText && !tools.Values.Any(tool => tool.Started) =>
                Close(cancelled, ("empty_output", "The agent ended its turn without an answer and without using a tool. Try again, or choose another model."), result, updates),
            _ => Close(cancelled, null, result, updates),
        };
    }

    /// <summary>The end of a turn whose agent is gone.</summary>
    public AgentUpdate.TurnEnded Abandon(bool cancelled, string code, string detail, List<AgentUpdate> updates) => Close(cancelled, (code, detail), default, updates);

    private AgentUpdate.TurnEnded Close(bool cancelled, (string Code, string Detail)? failure, JsonElement result, List<AgentUpdate> updates)
    {
        foreach (var tool in tools.Values)
        {
            if (tool is { Started: true, Ended: false }) tool.Fail(cancelled ? "The tool was stopped." : "The tool did not finish.", updates);
        }

        var tokens = Tokens(result);
        if (cancelled) return new AgentUpdate.TurnEnded(TurnOutcome.Cancelled, null, null, tokens);
        return failure is var (code, detail)
            ? new AgentUpdate.TurnEnded(TurnOutcome.Failed, code, detail, tokens)
            : new AgentUpdate.TurnEnded(TurnOutcome.Completed, null, null, tokens);
    }

    private void Tool(string id, JsonElement update, bool cancelled, List<AgentUpdate> updates)
    {
        var tool = Call(id, renew: update.Text("sessionUpdate") == "tool_call");
        var ended = tool.Ended;
        var before = updates.Count;
        tool.Apply(update, updates, cancelled);
        if (updates.Count > before) parts.Break();
        if (ended || !tool.Ended || updates[^1] is not AgentUpdate.ToolCompleted completed) return;
        foreach (var (path, change) in tool.ChangedFiles())
        {
            if (Relative(path) is { } file) updates.Add(new AgentUpdate.FileChanged(file, change));
        }

        if (JsonElement.Parse(completed.InputJson).Member("todos") is { ValueKind: JsonValueKind.Array } todos) updates.Add(Plan(todos.Items()));
    }

    private ToolCall Call(string id, bool renew)
    {
        if (tools.TryGetValue(id, out var tool) && !(renew && tool.Ended)) return tool;
        return tools[id] = new ToolCall(string.Create(CultureInfo.InvariantCulture, $"{turn}-call-{++calls}"), time);
    }

    private static AgentUpdate.Plan Plan(IEnumerable<JsonElement> entries) =>
        new(entries.Select(entry => new PlanEntry(entry.Text("content") ?? "", entry.Text("status") ?? "pending", entry.Text("priority"))).ToList());

    private AgentTokens Tokens(JsonElement result)
    {
        var usage = result.Member("usage") ?? default;
        var counted = result.Member("_meta")?.Member("quota")?.Member("token_count") ?? default;
        return new AgentTokens(
            usage.Number("inputTokens") ?? counted.Number("input_tokens") ?? 0,
            usage.Number("outputTokens") ?? counted.Number("output_tokens") ?? 0,
            usage.Number("thoughtTokens") ?? 0,
            usage.Number("cachedReadTokens") ?? 0,
            usage.Number("cachedWriteTokens") ?? 0,
            Math.Max(0, (Cost ?? 0) - (firstCost ?? 0)));
    }

    private static (string Code, string Detail) Failure(JsonElement error)
    {
        const string wrapper = "Internal error: ";
        var message = error.Text("message") ?? "no reason was given";
        if (message.StartsWith(wrapper, StringComparison.Ordinal)) message = message[wrapper.Length..];
        return ("model_error", error.Number("code") == -32000 ? $"The agent has no credential for its model: {message}" : $"The model could not answer: {message}");
    }

    private string? Relative(string path) =>
        !path.StartsWith('/') ? path
        : path.StartsWith(root, StringComparison.Ordinal) && path.Length > root.Length ? path[root.Length..]
        : null;
}
