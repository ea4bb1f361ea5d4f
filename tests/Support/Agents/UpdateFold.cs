using Coordinator.Ports.Compute;
using Xunit;

namespace Coordinator.Tests.Support.Agents;

/// <summary>What a reader of an agent's updates makes of them.</summary>
public static class UpdateFold
{
    /// <summary>The texts of the answer's parts, in the order the parts began.</summary>
    public static IReadOnlyDictionary<string, string> Texts(IEnumerable<AgentUpdate> updates)
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

    /// <summary>The whole answer.</summary>
    public static string Text(IEnumerable<AgentUpdate> updates) => string.Concat(Texts(updates).Values);
}
