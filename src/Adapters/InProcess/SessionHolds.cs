using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess;

/// <summary>
/// What goes on in this process beside its actors, by the session that it is for, and is waited for when the process stops; a host that
/// loses its registration meanwhile and begins anew keeps it.
/// </summary>
internal sealed class SessionHolds : IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<SessionKey, int> held = [];
    private readonly TaskCompletionSource settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource givenUp = new();
    private bool closed;

    /// <summary>Nothing holds the session any more.</summary>
    public event Action<SessionKey>? Released;

    /// <summary>One more; null once it is closed.</summary>
    public ISessionHold? TryTake(SessionKey key)
    {
        lock (gate)
        {
            if (closed) return null;
            held[key] = held.GetValueOrDefault(key) + 1;
        }

        return new Hold(this, key);
    }

    public bool Has(SessionKey key)
    {
        lock (gate) return held.ContainsKey(key);
    }

    /// <summary>Gives no more from here on.</summary>
    public void Close()
    {
        lock (gate)
        {
            closed = true;
            if (held.Count == 0) settled.TrySetResult();
        }
    }

    /// <summary>Completes when nothing is held, of what is closed.</summary>
    public Task SettleAsync() => settled.Task;

    /// <summary>Asks for an end at once, and waits for it.</summary>
    public async Task StopAsync()
    {
        Close();
        await givenUp.CancelAsync();
        await SettleAsync();
    }

    public void Dispose() => givenUp.Dispose();

    private void Leave(SessionKey key)
    {
        lock (gate)
        {
            if (--held[key] > 0) return;
            held.Remove(key);
        }

        Released?.Invoke(key);
        lock (gate)
        {
            if (closed && held.Count == 0) settled.TrySetResult();
        }
    }

    private sealed class Hold(SessionHolds owner, SessionKey key) : ISessionHold
    {
        private int left;

        public CancellationToken GivenUp { get; } = owner.givenUp.Token;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref left, 1) == 0) owner.Leave(key);
        }
    }
}
