using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess;

/// <summary>
/// Tells those who follow a session here what another host wrote of it: read from the journal once for all of them, so that they
/// share its bytes as those do who follow it where its actor is.
/// </summary>
internal sealed class FollowerRelay(ISessionJournal journal, Followers followers, int mostBytes)
{
    /// <summary>
    /// Tells what is durable after <paramref name="last"/>, which is known to reach <paramref name="seq"/>, and gives how far it told. When it is
    /// much, as behind an outage, they hear of the rest only how far it reaches: each reads that as fast as it takes it, and none is too slow for it.
    /// </summary>
    public async Task<long> TellAsync(SessionKey key, long last, long seq, CancellationToken cancellationToken)
    {
        EventBatch? held = null;
        var bytes = 0;
        await foreach (var batch in JournalledEvents.ReadAsync(journal, key, last, cancellationToken))
        {
            if (held is not null) followers.Publish(key, held);
            (held, last) = (batch, batch.LastSeq);
            if ((bytes += batch.Utf8.Length) > mostBytes) break;
        }

        if (held is not null) followers.Publish(key, last < seq ? held : held with { View = await ViewAsync(key, cancellationToken) });
        if (last < seq) followers.Announce(key, seq);
        return Math.Max(last, seq);
    }

    /// <summary>The journal keeps no old views, and does not say which events changed it: they are told the present one.</summary>
    private async ValueTask<SessionView?> ViewAsync(SessionKey key, CancellationToken cancellationToken) =>
        await journal.FindHeadAsync(key, cancellationToken) is { } head ? new(new(head.Incarnation, head.Seq), head.View) : null;
}
