using System.Runtime.CompilerServices;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess;

/// <summary>
/// Reads a session's past in batches that are worth sending: a session that was written an event at a time has as many
/// records, and each of them alone would be a frame of its own.
/// </summary>
internal static class JournalledEvents
{
    public static async IAsyncEnumerable<EventBatch> ReadAsync(ISessionJournal journal, SessionKey key, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        EventChunk? gathered = null;
        await foreach (var record in journal.ReadEventsAsync(key, after, cancellationToken))
        {
            if (RecordEvents.ReadAfter(record, after) is not { } batch) continue;
            after = batch.LastSeq;
            if (gathered?.Fits(batch) == false)
            {
                yield return gathered.ToBatch();
                gathered = null;
            }

            if (batch.Utf8.Length >= EventChunk.MostBytes)
            {
                yield return batch;
                continue;
            }

            gathered ??= new(EventChunk.MostBytes);
            foreach (var slice in batch.Events) gathered.Add(slice, batch.Utf8.Span);
        }

        if (gathered is not null) yield return gathered.ToFittingBatch();
    }
}
