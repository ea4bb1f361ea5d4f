using System.Globalization;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.Acp.Turns;

/// <summary>
/// Cuts the agent's chunks into parts: a new one wherever the kind, the message or, by a tool in between, the place
/// changes. Chunks are only ever added, so offsets only grow.
/// </summary>
internal sealed class MessageParts(string turn)
{
    private string? id;
    private string? message;
    private bool isThought;
    private int length;
    private int made;

    /// <summary>Whether anything but white space was said (thinking does not count).</summary>
    public bool AnyText { get; private set; }

    public void Append(bool thought, string? messageId, string text, List<AgentUpdate> updates)
    {
        if (text.Length == 0) return;
        if (id is null || thought != isThought || messageId != message)
        {
            id = string.Create(CultureInfo.InvariantCulture, $"{turn}-part-{++made}");
            (isThought, message, length) = (thought, messageId, 0);
        }

        updates.Add(thought ? new AgentUpdate.Reasoning(id, length, text) : new AgentUpdate.Text(id, length, text));
        length += text.Length;
        AnyText |= !thought && !string.IsNullOrWhiteSpace(text);
    }

    /// <summary>Something else was shown: what is said next stands after it.</summary>
    public void Break() => id = null;
}
