using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess;

/// <summary>
/// One follower of one session. While it reads the past, from what its session told last or from the journal, nothing is
/// buffered for it; once it has caught up it is live, with a bounded buffer. So neither a long replay nor a stalled client costs memory.
/// </summary>
internal sealed class Follower(SessionKey key, ISessionJournal journal, RecentEvents recent, SessionCursor start, SessionView view, int maxBytes, Action<Follower> left) : ISessionSubscription
{
    private readonly Lock gate = new();
    /// <summary>
    /// Read under the gate alone: by the follower, and by whoever closes it and lets go of what waits. Its bound is in bytes; as a bounded
    /// channel, with no bound in number, it takes no room while nothing waits.
    /// </summary>
    private readonly Channel<EventBatch> live = Channel.CreateBounded<EventBatch>(int.MaxValue);
    private long publishedSeq;
    private long pendingBytes;
    private bool isLive;

    public SessionKey Key { get; } = key;

    public SessionCursor Start { get; } = start;

    public SessionView View { get; private set; } = view;

    public SubscriptionCloseReason? Closed { get; private set; }

    /// <summary>Offers a batch that has just become durable. Never waits.</summary>
    public void Offer(EventBatch batch)
    {
        lock (gate)
        {
            publishedSeq = Math.Max(publishedSeq, batch.LastSeq);
            if (!isLive || Closed is not null) return;
            var waits = pendingBytes > 0; // one that is larger than the bound by itself may come alone
            pendingBytes += batch.Bytes;
            if ((waits && pendingBytes > maxBytes) || !live.Writer.TryWrite(batch)) CloseLocked(SubscriptionCloseReason.TooSlow);
        }
    }

    public void Close(SubscriptionCloseReason reason)
    {
        lock (gate) CloseLocked(reason);
    }

    public async IAsyncEnumerable<EventBatch> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var last = Start.Seq;
        View = View with { Json = default }; // as large as all the rest of a follower that has nothing to do
        do
        {
            await foreach (var past in PastAsync(last, cancellationToken))
            {
                last = past.LastSeq;
                yield return past;
            }
        }
        while (!CaughtUp(last));

        while (await live.Reader.WaitToReadAsync(cancellationToken))
        {
            while (TryTake(out var next))
            {
                if (next.FirstSeq > last + 1)
                {
                    // Durable, and never published: the activation that wrote it ended before it knew.
                    await foreach (var missed in PastAsync(last, cancellationToken))
                    {
                        last = missed.LastSeq;
                        yield return missed;
                    }

                    // The closing broke the reading off: whoever is let go resumes after the last that it was told.
                    if (Closed is not null && next.FirstSeq > last + 1) yield break;
                }

                if (next.Events.Count == 0 || next.After(last) is not { } batch) continue;
                last = batch.LastSeq;
                yield return batch;
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        left(this);
        live.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// What is durable after <paramref name="last"/>; the last batch with the view. A session that is awake here tells it from
    /// memory when that reaches as far as is known: what it commits later is offered, for this follower was added before.
    /// </summary>
    private async IAsyncEnumerable<EventBatch> PastAsync(long last, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (recent.After(Key, Start with { Seq = last }, Known()) is { } told)
        {
            foreach (var batch in told)
            {
                if (Closed is not null) yield break;
                yield return batch.View is { } then && then.Cursor.Seq <= View.Cursor.Seq ? batch with { View = null } : batch;
            }

            yield break;
        }

        EventBatch? held = null;
        await foreach (var batch in JournalledEvents.ReadAsync(journal, Key, last, cancellationToken))
        {
            if (Closed is not null) yield break;
            if (held is not null) yield return held;
            (held, last) = (batch, batch.LastSeq);
        }

        if (held is not null) yield return held with { View = await ViewAfterAsync(last, cancellationToken) };
    }

    private long Known()
    {
        lock (gate) return Math.Max(publishedSeq, View.Cursor.Seq);
    }

    /// <summary>The journal keeps no old views: a follower that read past the one it began with is told the present one.</summary>
    private async ValueTask<SessionView?> ViewAfterAsync(long last, CancellationToken cancellationToken)
    {
        if (last <= View.Cursor.Seq || await journal.FindHeadAsync(Key, cancellationToken) is not { } head) return null;
        return new(new(head.Incarnation, head.Seq), head.View);
    }

    /// <summary>Goes live when everything published so far has been read from the journal.</summary>
    private bool CaughtUp(long last)
    {
        lock (gate)
        {
            isLive |= publishedSeq <= last;
            return isLive || Closed is not null;
        }
    }

    private bool TryTake([MaybeNullWhen(false)] out EventBatch next)
    {
        lock (gate)
        {
            if (!live.Reader.TryRead(out next)) return false;
            pendingBytes -= next.Bytes;
            return true;
        }
    }

    private void CloseLocked(SubscriptionCloseReason reason)
    {
        Closed ??= reason;
        live.Writer.TryComplete();
        while (reason == SubscriptionCloseReason.TooSlow && live.Reader.TryRead(out _))
        {
            // what waited is let go at once: the follower resumes from the journal
        }
    }
}
