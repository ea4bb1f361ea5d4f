namespace Coordinator.Bench.Driving;

/// <summary>The ends of a bare relay that was started for them: one that sends, and those to whom everything goes.</summary>
internal sealed class RelayEnds : IAsyncDisposable
{
    private RelayEnds(HostProcess process, FrameSocket into) => (Process, Into) = (process, into);

    public HostProcess Process { get; }

    public FrameSocket Into { get; }

    public List<SessionWatcher> Watchers { get; } = [];

    public static async Task<RelayEnds> StartAsync(int watchers, CancellationToken cancellationToken, string role = "relay", string into = "/in")
    {
        var process = await HostProcess.StartRoleAsync(role);
        var ends = new RelayEnds(process, await FrameSocket.ConnectAsync(process.Url, into, null, null, cancellationToken));
        await ends.ConnectAsync(watchers, cancellationToken);
        return ends;
    }

    /// <summary>So many more to whom everything goes.</summary>
    public async Task ConnectAsync(int more, CancellationToken cancellationToken)
    {
        for (var i = 0; i < more; i++) Watchers.Add(new(await FrameSocket.ConnectAsync(Process.Url, "/out", null, null, cancellationToken)));
    }

    public ValueTask DisposeAsync()
    {
        Into.Dispose();
        foreach (var watcher in Watchers) watcher.Dispose();
        return Process.DisposeAsync();
    }
}
