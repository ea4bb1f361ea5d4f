using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Sandbox.Events;

namespace Coordinator.Sandbox.Agent;

/// <summary>
/// Gathers the deltas of an agent that sends a token at a time into fewer events: text that continues what is held is
/// added to it, anything else lets go of it first. Nothing is reordered, and no piece is larger than an event may be.
/// </summary>
internal sealed class TextCoalescer(MessageId message, Redactor redactor)
{
    /// <summary>How long text is held at most.</summary>
    public static readonly TimeSpan Hold = TimeSpan.FromMilliseconds(15);
    private const int MaxHeldUnits = 4 * 1024;

    private readonly System.Text.StringBuilder held = new();
    private bool isReasoning;
    private string part = "";
    private int offset;

    public bool IsHolding => held.Length > 0;

    /// <summary>Takes a delta; returns what must be sent now.</summary>
    public IReadOnlyList<BoxEvent> Add(bool reasoning, string inPart, int at, string delta)
    {
        var sent = new List<BoxEvent>();
        var continues = IsHolding && reasoning == isReasoning && inPart == part && at == offset + held.Length;
        if (!continues)
        {
            sent.AddRange(Flush());
            (isReasoning, part, offset) = (reasoning, inPart, at);
        }

        held.Append(delta);
        if (held.Length >= MaxHeldUnits) sent.AddRange(Flush());
        // An empty replacement cuts a part: it has nothing to wait for.
        else if (delta.Length == 0 && !continues) sent.Add(Piece(""));
        return sent;
    }

    /// <summary>Lets go of everything.</summary>
    public IReadOnlyList<BoxEvent> Flush()
    {
        if (!IsHolding) return [];
        var text = redactor.Clean(held.ToString());
        held.Clear();
        var sent = new List<BoxEvent>();
        while (text.Length > 0)
        {
            var units = JsonText.FitFromStart(text, AgentEvents.MaxDeltaBytes);
            sent.Add(Piece(text[..units]));
            text = text[units..];
            offset += units;
        }

        return sent;
    }

    private BoxEvent Piece(string text) => isReasoning ? AgentEvents.Reasoning(message, part, offset, text) : AgentEvents.Text(message, part, offset, text);
}
