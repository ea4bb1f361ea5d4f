using System.Text.Json;
using Coordinator.Adapters.Acp.Turns;
using Coordinator.Ports.Compute;
using Coordinator.Tests.Support.Agents;
using Xunit;

namespace Coordinator.Tests.Modules.Agents.Acp;

/// <summary>Plays the first turn of a recorded conversation over the protocol into a translator, as the runtime would.</summary>
internal sealed class AcpReplay
{
    public AcpReplay(string transcript)
    {
        var translator = new AcpTranslator("turn", "/workspace", 0m, TimeProvider.System);
        var cancelled = false;
        JsonElement? prompt = null;
        foreach (var line in Transcript.Read("acp", transcript))
        {
            if (!line.TryGetProperty("msg", out var message)) continue;
            var fromAgent = line.GetProperty("dir").GetString() == "agent->client";
            var method = message.TryGetProperty("method", out var named) ? named.GetString() : null;
            if (!fromAgent && method == "session/cancel") cancelled = true;
            if (!fromAgent && method == "session/prompt") prompt = message.GetProperty("id");
            if (!fromAgent) continue;
            if (method == "session/update") translator.Update(message.GetProperty("params").GetProperty("update"), cancelled, Updates);
            if (method == "session/request_permission") Updates.Add(translator.Ask("permission", message.GetProperty("params"), Updates));
            if (method is null && prompt is { } id && message.GetProperty("id").GetInt64() == id.GetInt64())
            {
                Ended = translator.End(message, cancelled, Updates);
                return;
            }
        }
    }

    public List<AgentUpdate> Updates { get; } = [];

    public AgentUpdate.TurnEnded? Ended { get; }

    public string Text => UpdateFold.Text(Updates);

    public T Single<T>()
        where T : AgentUpdate => Assert.Single(Updates.OfType<T>());
}
