namespace Coordinator.Adapters.Acp.Connection;

/// <summary>The last characters a process wrote to its error stream, for telling why it ended. Bounded; safe to share.</summary>
internal sealed class OutputTail
{
    private const int Capacity = 4096;

    private readonly Lock gate = new();
    private string text = "";

    /// <summary>As written, a line's end included.</summary>
    public string Text
    {
        get
        {
            lock (gate) return text;
        }
    }

    public void Append(ReadOnlySpan<char> output)
    {
        lock (gate)
        {
            text = string.Concat(text, output);
            if (text.Length > Capacity) text = text[^Capacity..];
        }
    }

    public override string ToString() => Text.Trim();
}
