using System.Collections.Concurrent;
using Coordinator.Ports;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>
/// The sessions whose appends wait for a row apart from the others. A later append of one of them goes the same way, so that it stays behind
/// the one that it stands on and keeps nobody waiting.
/// </summary>
internal sealed class HeldSessions
{
    private readonly ConcurrentDictionary<SessionKey, int> appends = new();
    private int count;

    /// <summary>Asked for each append that is written.</summary>
    public bool Has(SessionKey key) => Volatile.Read(ref count) > 0 && appends.ContainsKey(key);

    /// <summary>By the session's own writer, before the append is passed on.</summary>
    public void Add(SessionKey key)
    {
        appends.AddOrUpdate(key, 1, (_, waiting) => waiting + 1);
        Interlocked.Increment(ref count);
    }

    /// <summary>By who they are passed on to, once for each, when it is over.</summary>
    public void Remove(SessionKey key)
    {
        while (appends.TryGetValue(key, out var waiting))
        {
            if (!(waiting == 1 ? appends.TryRemove(KeyValuePair.Create(key, waiting)) : appends.TryUpdate(key, waiting - 1, waiting))) continue;
            Interlocked.Decrement(ref count);
            return;
        }
    }
}
