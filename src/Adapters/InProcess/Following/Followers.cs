using System.Collections.Concurrent;
using System.Collections.Immutable;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess;

/// <summary>Who follows which session on this host. Independent of activations: watching wakes nobody.</summary>
internal sealed class Followers
{
    private readonly ConcurrentDictionary<SessionKey, ImmutableArray<Follower>> topics = new();

    public void Add(Follower follower) =>
        topics.AddOrUpdate(follower.Key, static (_, f) => [f], static (_, all, f) => all.Add(f), follower);

    public void Remove(Follower follower)
    {
        var rest = topics.AddOrUpdate(follower.Key, static (_, _) => [], static (_, all, f) => all.Remove(f), follower);
        if (rest.IsEmpty) topics.TryRemove(new(follower.Key, rest));
    }

    public void Publish(SessionKey key, EventBatch batch)
    {
        if (!topics.TryGetValue(key, out var all)) return;
        foreach (var follower in all) follower.Offer(batch);
    }

    /// <summary>Tells followers how far a session's journal reaches, so that whoever is behind reads what nobody published.</summary>
    public void Announce(SessionKey key, long seq) => Publish(key, new EventBatch(seq + 1, seq, default, []));

    /// <summary>
    /// Lets a session's followers go, to come back with their cursor: after an activation that does not know what became of
    /// its last record, only the journal can tell them, and perhaps nobody wakes the session to announce it.
    /// </summary>
    public void Close(SessionKey key, SubscriptionCloseReason reason)
    {
        if (!topics.TryGetValue(key, out var all)) return;
        foreach (var follower in all) follower.Close(reason);
    }

    public void CloseAll(SubscriptionCloseReason reason)
    {
        foreach (var all in topics.Values)
            foreach (var follower in all) follower.Close(reason);
    }
}
