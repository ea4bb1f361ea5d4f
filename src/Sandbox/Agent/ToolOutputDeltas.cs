using System.Text;
using Coordinator.Ports;
using Coordinator.Sandbox.Events;

namespace Coordinator.Sandbox.Agent;

/// <summary>
/// Makes deltas of a tool's output, of which the agent always tells the whole so far: what is new since the last time,
/// at its offset. Output that was replaced is told again from where it differs. Streaming stops for good at a bound; the
/// end of the tool carries the rest.
/// </summary>
internal sealed class ToolOutputDeltas(MessageId message, string callId, Redactor redactor)
{
    /// <summary>How much of one tool's output is streamed, in bytes of UTF-8.</summary>
    public const int MaxBytes = 256 * 1024;

    private string told = "";
    private long spent;
    private bool stopped;

    /// <summary>The events that bring what was told up to <paramref name="outputSoFar"/>.</summary>
    public IReadOnlyList<BoxEvent> Advance(string outputSoFar)
    {
        if (stopped) return [];
        var output = redactor.Clean(Bounded(outputSoFar));
        var offset = output.AsSpan().CommonPrefixLength(told);
        if (offset > 0 && offset < output.Length && char.IsLowSurrogate(output[offset])) offset--;
        if (offset == output.Length) return [];

        var sent = new List<BoxEvent>();
        while (offset < output.Length && !stopped)
        {
            var room = (int)Math.Min(AgentEvents.MaxDeltaBytes, MaxBytes - spent);
            var units = JsonText.FitFromStart(output.AsSpan(offset), room);
            if (units == 0)
            {
                stopped = true;
                break;
            }

            var piece = output.Substring(offset, units);
            spent += Encoding.UTF8.GetByteCount(piece);
            sent.Add(AgentEvents.ToolUpdated(message, callId, offset, piece));
            offset += units;
        }

        told = output[..offset];
        return sent;
    }

    /// <summary>A flood of output must not be scanned whole for the sake of a part that is not told.</summary>
    private static string Bounded(string output)
    {
        if (output.Length <= MaxBytes) return output;
        return output[..(char.IsHighSurrogate(output[MaxBytes - 1]) ? MaxBytes - 1 : MaxBytes)];
    }
}
