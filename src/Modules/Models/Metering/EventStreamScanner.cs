using System.Buffers;
using Coordinator.Ports;

namespace Coordinator.Modules.Models.Metering;

/// <summary>
/// Watches a server-sent event stream go by, in chunks cut anywhere, and feeds the data of each event to the meter. A
/// line that lies whole in a chunk is read in place; of one that is cut what counts is kept. When that is refused the
/// stream must not go on: its usage may be in what was not kept.
/// </summary>
/// <param name="room">As <see cref="KeptJson"/> asks it.</param>
internal sealed class EventStreamScanner(UsageMeter meter, Func<int, Problem?> room) : IDisposable
{
    private static readonly SearchValues<byte> LineEnds = SearchValues.Create("\r\n"u8);

    private readonly KeptJson line = new(room);

    /// <summary>A line is under way that has no data: none of it counts.</summary>
    private bool passing;

    /// <summary>Why the stream must not go on.</summary>
    public Problem? Refusal => line.Refusal;

    /// <summary>
    /// Takes the next chunk. Answers where in it the line begins that ends the stream: what is before may go on at once;
    /// -1 when the stream goes on.
    /// </summary>
    public int Take(ReadOnlySpan<byte> chunk)
    {
        var position = 0;
        while (position < chunk.Length && Refusal is null)
        {
            var rest = chunk[position..];
            var end = rest.IndexOfAny(LineEnds);
            if (end < 0)
            {
                KeepPartial(rest);
                return -1;
            }

            if (TakeLine(rest[..end])) return position;
            position += end + 1;
        }

        return -1;
    }

    /// <summary>The stream has ended: a last line without an end is read too.</summary>
    public void Complete() => TakeLine([]);

    public void Dispose() => line.Dispose();

    private bool TakeLine(ReadOnlySpan<byte> end)
    {
        if (!passing && line.Kept.IsEmpty) return TakeData(end);
        KeepPartial(end);
        var ends = Refusal is null && TakeData(line.Kept);
        passing = false;
        line.Clear();
        return ends;
    }

    private bool TakeData(ReadOnlySpan<byte> text)
    {
        if (!text.StartsWith(Data)) return false;
        var data = text[Data.Length..];
        return meter.TakeEvent(data.StartsWith(" "u8) ? data[1..] : data);
    }

    private void KeepPartial(ReadOnlySpan<byte> piece)
    {
        if (passing) return;
        line.Add(piece);
        if (line.Kept.Length < Data.Length || line.Kept.StartsWith(Data)) return;
        passing = true;
        line.Clear();
    }

    private static ReadOnlySpan<byte> Data => "data:"u8;
}
