using System.Text.Json;

namespace Coordinator.Tests.Modules.Agents;

/// <summary>Reads recorded traffic: one JSON object per line.</summary>
internal static class Transcript
{
    public static List<JsonElement> Read(string folder, string name) =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "AgentTranscripts", folder, name + ".jsonl"))
            .Select(line => JsonElement.Parse(line)).ToList();
}
