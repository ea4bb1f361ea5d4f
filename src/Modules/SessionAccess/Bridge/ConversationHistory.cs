using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.SessionAccess.Bridge;

/// <summary>Tells an agent whose store is new what was said before, from the journal.</summary>
internal sealed class ConversationHistory(ISessionJournal journal)
{
    /// <summary>The conversation before a message, or null when there was none.</summary>
    public async ValueTask<string?> BeforeAsync(SessionKey key, MessageId message, CancellationToken cancellationToken)
    {
        var transcript = new ConversationTranscript(message);
        await foreach (var record in journal.ReadEventsAsync(key, 0, cancellationToken))
        {
            if (RecordEvents.Read(record) is not { } batch) continue;
            foreach (var slice in batch.Events) transcript.Add(batch.Utf8.Slice(slice.Offset, slice.Length));
        }

        return transcript.Write();
    }
}
