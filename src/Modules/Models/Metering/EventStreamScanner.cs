using System.Buffers;

namespace Coordinator.Modules.Models.Metering;

/// <summary>
/// Watches a server-sent event stream go by, in chunks cut anywhere, and feeds the data of each event to the meter. A
/// line that lies whole in a chunk is read in place; only one that is cut is copied. A line beyond the bound is passed
/// over, and only metering misses it.
/// </summary>
internal sealed class EventStreamScanner(UsageMeter meter) : IDisposable
{
    /// <summary>The longest line that is metered: the last event of a response repeats all of it.</summary>
    public const int LongestLine = 16 * 1024 * 1024;

    private static readonly SearchValues<byte> LineEnds = SearchValues.Create("\r\n"u8);

    private byte[] partial = [];
    private int partialLength;
    private bool skipping;

    /// <summary>
    /// Takes the next chunk. Answers where in it the line begins that ends the stream: what is before may go on at once;
    /// -1 when the stream goes on.
    /// </summary>
    public int Take(ReadOnlySpan<byte> chunk)
    {
        var position = 0;
        while (position < chunk.Length)
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

    public void Dispose()
    {
        if (partial.Length > 0) ArrayPool<byte>.Shared.Return(partial);
        partial = [];
        partialLength = 0;
    }

    private bool TakeLine(ReadOnlySpan<byte> end)
    {
        if (skipping)
        {
            skipping = false;
            return false;
        }

        if (partialLength == 0) return TakeData(end);
        KeepPartial(end);
        if (skipping)
        {
            skipping = false;
            return false;
        }

        var ends = TakeData(partial.AsSpan(0, partialLength));
        partialLength = 0;
        return ends;
    }

    private bool TakeData(ReadOnlySpan<byte> line)
    {
        if (!line.StartsWith("data:"u8)) return false;
        var data = line[5..];
        return meter.TakeEvent(data.StartsWith(" "u8) ? data[1..] : data);
    }

    private void KeepPartial(ReadOnlySpan<byte> piece)
    {
        if (skipping || piece.IsEmpty) return;
        if (partialLength + piece.Length > LongestLine)
        {
            skipping = true;
            partialLength = 0;
            return;
        }

        if (partialLength + piece.Length > partial.Length) Grow(partialLength + piece.Length);
        piece.CopyTo(partial.AsSpan(partialLength));
        partialLength += piece.Length;
    }

    private void Grow(int needed)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, Math.Max(1024, partial.Length * 2)));
        partial.AsSpan(0, partialLength).CopyTo(larger);
        if (partial.Length > 0) ArrayPool<byte>.Shared.Return(partial);
        partial = larger;
    }
}
