using System.Buffers;
using System.Text.Json;

namespace Coordinator.Ports.Session;

/// <summary>
/// Merges the events of a session's records (<see cref="EventMerge"/>): given all of them in order, it gives each back as it is to be kept,
/// with its version, its numbers and the very bytes of its facts. A merged event stands in the record of the last that it covers. Events
/// within <paramref name="untouched"/> stay as they were written. Of what can still change, at most about <see cref="MaxWaitingBytes"/> wait:
/// an event that would have more wait for it (of many pieces without text, or with much between them that is not shown) ends there, and
/// another goes on. That the text is then in more events changes no digest of a run.
/// </summary>
public sealed class RecordMerge(IReadOnlyList<EventRange> untouched)
{
    /// <summary>Several times what the longest event takes whose pieces are words.</summary>
    public const int MaxWaitingBytes = 16 * 1024 * 1024;

    /// <summary>What a record takes in memory beside its payload.</summary>
    private const int RecordBytes = 256;

    private readonly EventRange[] untouched = [.. untouched.OrderBy(range => range.From)];
    private EventMerge merge = new();
    private readonly List<Pending> pending = [];

    /// <summary>The envelopes of the open event, and where they stand: their record, counted in <see cref="pending"/>, and their place in it.</summary>
    private readonly List<(int Record, int Place)> open = [];
    private int passed;
    private long waiting;

    /// <summary>Takes the next record; gives those that nothing behind them can change any more.</summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Corrupt"/>: the record cannot be read.</exception>
    public IReadOnlyList<JournalRecord> Add(JournalRecord record)
    {
        var read = new Pending(record) { ReachesTo = pending.Count };
        pending.Add(read);
        waiting += read.Bytes;
        if (RecordEvents.Read(record) is { } batch)
        {
            foreach (var slice in batch.Events)
            {
                read.Envelopes.Add(batch.Utf8.Slice(slice.Offset, slice.Length));
                Take(slice.Seq, (pending.Count - 1, read.Envelopes.Count - 1));
            }
        }

        if (waiting > MaxWaitingBytes) Close();
        return Settle(Whole());
    }

    /// <summary>There are no more: gives the rest.</summary>
    public IReadOnlyList<JournalRecord> Finish()
    {
        Close();
        return Settle(pending.Count);
    }

    /// <summary>How many records are settled together with whatever covers an event of theirs: one of them without the other would lose text.</summary>
    private int Whole()
    {
        if (open.Count == 0) return pending.Count;
        var count = open[0].Record;
        while (pending[count].ReachesTo < count) count = pending[count].ReachesTo;
        return count;
    }

    private void Take(long seq, (int Record, int Place) at)
    {
        while (passed < untouched.Length && untouched[passed].To < seq) passed++;
        var isFree = passed == untouched.Length || seq < untouched[passed].From;
        if (open.Count == 0 || !isFree || !merge.TryAdd(EnvelopeAt(at))) Close();
        if (!isFree) merge = new(); // which text is how long is not known behind it
        else if (open.Count > 0 || merge.TryAdd(EnvelopeAt(at))) open.Add(at);
    }

    private ReadOnlySpan<byte> EnvelopeAt((int Record, int Place) at) => pending[at.Record].Envelopes[at.Place]!.Value.Span;

    private void Close()
    {
        if (merge.Close() is { } merged)
        {
            foreach (var (record, place) in open)
            {
                pending[record].Envelopes[place] = null;
                pending[record].IsChanged = true;
            }

            var last = pending[open[^1].Record];
            last.Envelopes[open[^1].Place] = merged;
            last.ReachesTo = Math.Min(last.ReachesTo, open[0].Record);
        }

        open.Clear();
    }

    private List<JournalRecord> Settle(int count)
    {
        foreach (var record in pending.Take(count)) waiting -= record.Bytes;
        var settled = pending.GetRange(0, count).ConvertAll(record => record.Write());
        pending.RemoveRange(0, count);
        for (var i = 0; i < open.Count; i++) open[i] = (open[i].Record - count, open[i].Place);
        foreach (var record in pending) record.ReachesTo -= count;
        return settled;
    }

    private sealed class Pending(JournalRecord record)
    {
        /// <summary>Null where another event covers it.</summary>
        public List<ReadOnlyMemory<byte>?> Envelopes { get; } = [];

        public bool IsChanged { get; set; }

        public int Bytes => record.Payload.Length + RecordBytes;

        /// <summary>The first of the records, counted in those that are pending, of which its events cover one.</summary>
        public int ReachesTo { get; set; }

        public JournalRecord Write()
        {
            if (!IsChanged) return record;
            var rest = Envelopes.FindAll(envelope => envelope is not null);
            var buffer = new ArrayBufferWriter<byte>(256 + rest.Sum(envelope => envelope!.Value.Length + 1));
            buffer.Write("{\"facts\":"u8);
            buffer.Write(Facts());
            buffer.Write(",\"events\":["u8);
            for (var i = 0; i < rest.Count; i++)
            {
                if (i > 0) buffer.Write(","u8);
                buffer.Write(rest[i]!.Value.Span);
            }

            buffer.Write("]}"u8);
            return record with { Payload = buffer.WrittenMemory, Codec = rest.Count == 0 ? RecordEvents.CoveredCodec : RecordEvents.MergedCodec };
        }

        /// <summary>The very bytes: what is kept is not written anew in another way.</summary>
        private ReadOnlySpan<byte> Facts()
        {
            var reader = new Utf8JsonReader(record.Payload.Span);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isFacts = reader.ValueTextEquals("facts"u8);
                reader.Read();
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                if (isFacts) return record.Payload.Span[start..(int)reader.BytesConsumed];
            }

            throw new PortException(PortFailureKind.Corrupt, $"Record {record.Version} cannot be read: it has no facts.");
        }
    }
}

/// <summary>The events from one number to another, both of them in it.</summary>
public readonly record struct EventRange(long From, long To);
