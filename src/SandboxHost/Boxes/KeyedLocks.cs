namespace Coordinator.SandboxHost.Boxes;

/// <summary>One at a time for each key; a key nobody holds takes no room.</summary>
internal sealed class KeyedLocks
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Entry> entries = new(StringComparer.Ordinal);

    /// <summary>Disposing the result lets the next one in.</summary>
    public async Task<IDisposable> EnterAsync(string key, CancellationToken cancellationToken)
    {
        Entry entry;
        lock (gate)
        {
            if (!entries.TryGetValue(key, out entry!)) entry = entries[key] = new();
            entry.Wanted++;
        }

        try
        {
            await entry.One.WaitAsync(cancellationToken);
            return new Held(this, key, entry);
        }
        catch
        {
            Leave(key, entry);
            throw;
        }
    }

    private void Leave(string key, Entry entry)
    {
        lock (gate)
        {
            if (--entry.Wanted > 0) return;
            entries.Remove(key);
            entry.One.Dispose();
        }
    }

    private sealed class Entry
    {
        public SemaphoreSlim One { get; } = new(1, 1);

        /// <summary>How many hold it or wait for it. Under the gate.</summary>
        public int Wanted { get; set; }
    }

    private sealed class Held(KeyedLocks owner, string key, Entry entry) : IDisposable
    {
        public void Dispose()
        {
            entry.One.Release();
            owner.Leave(key, entry);
        }
    }
}
