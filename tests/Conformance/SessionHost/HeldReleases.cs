using System.Collections.Concurrent;
using System.Reflection;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>A journal that gives no lease back before it is let, or says of none before that it has.</summary>
public class HeldReleases : DispatchProxy
{
    private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<SessionKey> keys = new();
    private ISessionJournal inner = null!;
    private bool isGivenBack;

    /// <summary>The sessions whose leases were to be given back.</summary>
    public IReadOnlyCollection<SessionKey> Keys => keys;

    public static ISessionJournal Over(ISessionJournal journal, out HeldReleases releases, bool isGivenBack = false)
    {
        var proxy = Create<ISessionJournal, HeldReleases>();
        releases = (HeldReleases)(object)proxy;
        (releases.inner, releases.isGivenBack) = (journal, isGivenBack);
        return proxy;
    }

    public void Open() => opened.TrySetResult();

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name == nameof(ISessionJournal.ReleaseAsync)
        ? new ValueTask(ReleaseAsync((JournalLease)args![0]!))
        : targetMethod.Invoke(inner, args);

    private async Task ReleaseAsync(JournalLease lease)
    {
        if (isGivenBack) await inner.ReleaseAsync(lease, CancellationToken.None);
        keys.Enqueue(lease.Key);
        await opened.Task;
        if (!isGivenBack) await inner.ReleaseAsync(lease, CancellationToken.None);
    }
}
