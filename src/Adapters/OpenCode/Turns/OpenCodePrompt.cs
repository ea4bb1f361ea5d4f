using System.Text.Json.Nodes;
using Coordinator.Adapters.OpenCode.Launch;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.OpenCode.Turns;

/// <summary>One prompt as OpenCode takes it, under an id of our choice so that its turn is known by it.</summary>
internal sealed record OpenCodePrompt(string MessageId, AgentPrompt Prompt)
{
    /// <summary>
    /// The history of a new conversation is a part of the first prompt's message: so it stays in the conversation for
    /// the turns after it (a <c>system</c> text would not), and no half-told state can be left behind.
    /// </summary>
    public JsonObject ToJson()
    {
        var model = OpenCodeModelName.Of(Prompt.Model);
        var parts = new JsonArray();
        if (!string.IsNullOrWhiteSpace(Prompt.History)) parts.Add((JsonNode)Text($"<earlier-conversation>\n{Prompt.History}\n</earlier-conversation>", synthetic: true));
        parts.Add((JsonNode)Text(Prompt.Text, synthetic: false));
        return new JsonObject
        {
            ["messageID"] = MessageId,
            ["model"] = new JsonObject { ["providerID"] = model.ProviderId, ["modelID"] = model.ModelId },
            ["parts"] = parts,
        };
    }

    private static JsonObject Text(string text, bool synthetic)
    {
        var part = new JsonObject { ["type"] = "text", ["text"] = text };
        if (synthetic) part["synthetic"] = true;
        return part;
    }
}
