using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess;

/// <summary>
/// Tells those who follow a session here what another host writes of it: read from the journal once for all of them, so that they
/// share its bytes as those do who follow it where its actor is. Begins behind <paramref name="start"/>, where the first of them began.
/// </summary>
internal sealed class FollowerRelay(SessionKey key, SessionCursor start, ISessionJournal journal, Followers followers, Func<SessionKey, bool> isAwakeHere, int mostBytes)
{
    private int incarnation = start.Incarnation;
    /// <summary>Null when it is not what all of them have: written before they are told, and taken away by whoever joins, who is among them by then.</summary>
    private volatile SessionView? view;

    /// <summary>How far it has told.</summary>
    public long Last { get; private set; } = start.Seq;

    /// <summary>Somebody follows as well, whose view is not what the others were told last.</summary>
    public void Join() => view = null;

    /// <summary>
    /// Tells what is durable after <see cref="Last"/>, which is known to reach <paramref name="seq"/>. When it is much, as behind an outage, they hear of
    /// the rest only how far it reaches: each reads that as fast as it takes it, and none is too slow for it.
    /// </summary>
    public async Task TellAsync(long seq, CancellationToken cancellationToken)
    {
        try
        {
            if (!isAwakeHere(key) && !await IsRelayedAsync(seq, cancellationToken)) return;
        }
        catch (PortException failure) when (failure.Kind is PortFailureKind.Corrupt)
        {
            followers.Close(key, SubscriptionCloseReason.SourceFailed); // each hears what is wrong when it comes back
            throw;
        }
        catch (PortException failure) when (failure.Told?.Kind is ProblemKind.Gone)
        {
            followers.Close(key, SubscriptionCloseReason.SourceFailed); // what comes next was removed: each is told so when it comes back, and who follows from behind it goes on
        }

        if (Last >= seq) return;
        view = null; // whoever tells or reads it now tells or reads a view too
        followers.Announce(key, seq);
        Last = seq;
    }

    /// <summary>False when what there is does not follow on what they have seen: they are let go.</summary>
    private async Task<bool> IsRelayedAsync(long seq, CancellationToken cancellationToken)
    {
        EventBatch? held = null;
        var bytes = 0;
        await foreach (var batch in JournalledEvents.ReadAsync(journal, key, Last, cancellationToken))
        {
            if (held is not null) Tell(held);
            held = batch;
            if ((bytes += batch.Utf8.Length) > mostBytes) break;
        }

        var head = await journal.FindHeadAsync(key, cancellationToken);
        if (head is not null && head.Incarnation != incarnation)
        {
            (incarnation, Last) = (head.Incarnation, head.Seq); // the database went back
            followers.Close(key, SubscriptionCloseReason.SourceFailed);
            return false;
        }

        if (held is not null) Tell(head is null || held.LastSeq < seq ? held : held with { View = WhenNew(new(new(head.Incarnation, head.Seq), head.View)) });
        return true;
    }

    private void Tell(EventBatch batch)
    {
        followers.Publish(key, batch);
        Last = batch.LastSeq;
    }

    /// <summary>The journal keeps no old views, and does not say which events changed it: they are told the present one when it is another than the last.</summary>
    private SessionView? WhenNew(SessionView present)
    {
        if (view is { } told && told.Json.Span.SequenceEqual(present.Json.Span)) return null;
        view = present;
        return present;
    }
}
