using System.Text;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.OpenCode.Turns;

/// <summary>
/// What has been shown of every text and reasoning part, so that whatever the store says in the end can be reached
/// from there by one more update. Parts are known by their ids, which never repeat.
/// </summary>
internal sealed class TextParts
{
    private readonly Dictionary<string, Part> parts = new(StringComparer.Ordinal);

    /// <summary>Whether anything but white space was said (thinking does not count).</summary>
    public bool AnyText => parts.Values.Any(part => !part.IsReasoning && !string.IsNullOrWhiteSpace(part.Shown.ToString()));

    /// <summary>
    /// The whole text of a part. While a part is open, a text shorter than what was shown is an update that comes late;
    /// once it is <paramref name="final"/> it is the truth, and what was shown beyond it is taken back.
    /// </summary>
    public void Replace(string id, bool isReasoning, string text, bool final, List<AgentUpdate> updates)
    {
        if (!parts.TryGetValue(id, out var part)) parts[id] = part = new Part(isReasoning);
        part.IsBroken = false;
        part.IsFinal |= final;
        var shown = part.Shown.ToString();
        var common = shown.AsSpan().CommonPrefixLength(text);
        if (common == text.Length && (common == shown.Length || !final)) return;
        if (common > 0 && char.IsHighSurrogate(text[common - 1])) common--;
        part.Shown.Length = common;
        part.Shown.Append(text, common, text.Length - common);
        updates.Add(Update(id, part, common, text[common..]));
    }

    /// <summary>Text added to a part's end. A delta of a part nobody announced is left to the store.</summary>
    public void Append(string id, string? delta, List<AgentUpdate> updates)
    {
        if (!parts.TryGetValue(id, out var part) || part.IsBroken || delta is { Length: 0 }) return;
        if (delta is null)
        {
            part.IsBroken = true; // unreadable: what follows would stand at the wrong offset until the whole text comes
            return;
        }

        var offset = part.Shown.Length;
        part.Shown.Append(delta);
        updates.Add(Update(id, part, offset, delta));
    }

    /// <summary>The agent has thrown the part away, as it does with an answer that broke off and is asked for again.</summary>
    public void Remove(string id, List<AgentUpdate> updates)
    {
        if (!parts.TryGetValue(id, out var part) || part.Shown.Length == 0) return;
        part.Shown.Clear();
        updates.Add(Update(id, part, 0, ""));
    }

    /// <summary>Takes back every part that is not among <paramref name="stored"/>.</summary>
    public void KeepOnly(HashSet<string> stored, List<AgentUpdate> updates)
    {
        foreach (var id in parts.Keys)
        {
            if (!stored.Contains(id)) Remove(id, updates);
        }
    }

    /// <summary>Events may have been missed: an open part waits for its whole text, since what is added would stand at the wrong offset.</summary>
    public void Pause()
    {
        foreach (var part in parts.Values) part.IsBroken |= !part.IsFinal;
    }

    private static AgentUpdate Update(string id, Part part, int offset, string delta) =>
        part.IsReasoning ? new AgentUpdate.Reasoning(id, offset, delta) : new AgentUpdate.Text(id, offset, delta);

    private sealed class Part(bool isReasoning)
    {
        public bool IsReasoning { get; } = isReasoning;

        public StringBuilder Shown { get; } = new();

        public bool IsBroken { get; set; }

        public bool IsFinal { get; set; }
    }
}
