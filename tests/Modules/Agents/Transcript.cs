using System.Text.Json;
using Coordinator.Ports.Compute;
using Xunit;

namespace Coordinator.Tests.Modules.Agents;

/// <summary>Reads recorded traffic: one JSON object per line.</summary>
internal static class Transcript
{
    public static List<JsonElement> Read(string folder, string name) =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "AgentTranscripts", folder, name + ".jsonl"))
            .Select(line => JsonElement.Parse(line)).ToList();
}

/// <summary>What a reader of updates makes of them.</summary>
internal static class Fold
{
    /// <summary>The texts of the answer's parts, in the order the parts began.</summary>
    public static Dictionary<string, string> Texts(IEnumerable<AgentUpdate> updates)
    {
        var texts = new Dictionary<string, string>();
        foreach (var text in updates.OfType<AgentUpdate.Text>())
        {
            var before = texts.GetValueOrDefault(text.Part, "");
            Assert.True(text.Offset <= before.Length, $"A hole before offset {text.Offset} of part {text.Part}.");
            texts[text.Part] = before[..text.Offset] + text.Delta;
        }

        return texts;
    }
}
