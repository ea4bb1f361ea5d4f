using Coordinator.Sandbox.Agent;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Processes;

namespace Coordinator.Sandbox.Commands;

/// <summary>
/// A box from its first dial to its last word: serves the control plane until that asks it to end, does not want it any
/// more, or is gone for too long; then ends the agent and tells how its turn ended.
/// </summary>
internal static class BoxLife
{
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(3);

    /// <param name="signalled">Ends the box in good order, as a shutdown does.</param>
    public static async Task<BridgeVerdict> RunAsync(BoxParts parts, FindAgent findAgent, CancellationToken signalled)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(signalled);
        using var hangUp = new CancellationTokenSource();
        await using var supervisor = new Supervisor(parts, findAgent);
        var disk = new DiskWatch([parts.Configuration.Workspace, parts.Configuration.Home], parts.Configuration.DiskBytes, parts.Orders.StopGrowth, parts.Time);
        var background = Task.WhenAll(disk.RunAsync(stop.Token), new Heartbeat(parts, supervisor, disk).RunAsync(stop.Token), new OrphanReaper(parts.Time).RunAsync(stop.Token));
        var bridging = Loop(parts).RunAsync(hangUp.Token);
        var supervising = supervisor.RunAsync(stop.Token);

        await Task.WhenAny(bridging, supervising);
        parts.Log.Ending(bridging.IsCompleted ? await WhyAsync(bridging) : supervisor.DiskGrowsOn ? "its workspace grows on" : "asked to");
        await stop.CancelAsync();
        await supervising;
        await supervisor.DisposeAsync();
        await DrainAsync(parts, bridging);
        await hangUp.CancelAsync();
        await background;
        var verdict = await bridging;
        return supervisor.DiskGrowsOn ? BridgeVerdict.NoDisk : verdict;
    }

    private static async Task<string> WhyAsync(Task<BridgeVerdict> bridging)
    {
        if (!bridging.IsCompletedSuccessfully) return "the bridge failed";
        return await bridging == BridgeVerdict.NoDisk ? "the disk takes no new spool" : "the control plane is gone for good";
    }

    private static BridgeLoop Loop(BoxParts parts)
    {
        var longest = parts.Endpoint.IsSameMachine ? ReconnectSchedule.LongestOnSameMachine : ReconnectSchedule.LongestElsewhere;
        var schedule = new ReconnectSchedule(longest, Random.Shared.NextDouble);
        return new BridgeLoop(parts.Bridge, parts.Dialer, schedule, TimeSpan.FromSeconds(parts.Configuration.LonelySeconds), parts.Time, parts.Log);
    }

    /// <summary>The last words of the box: how its turn ended must reach the control plane if it can.</summary>
    private static async Task DrainAsync(BoxParts parts, Task bridging)
    {
        var drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look()
        {
            if (parts.Bridge.IsDrained) drained.TrySetResult();
        }

        parts.Bridge.Acknowledged += Look;
        Look();
        await Task.WhenAny(drained.Task, bridging, Task.Delay(DrainTimeout, parts.Time));
        parts.Bridge.Acknowledged -= Look;
    }
}
