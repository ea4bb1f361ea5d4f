using System.Runtime.InteropServices;
using Coordinator.Ports;
using Coordinator.Sandbox.Agent;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Configuration;
using Coordinator.Sandbox.Processes;
using Coordinator.Sandbox.Storage;

namespace Coordinator.Sandbox.Commands;

/// <summary><c>coordinator-box run --config PATH</c>: the box's first process, from its start to its end.</summary>
internal static class RunCommand
{
    private const int Ok = 0;
    private const int BadConfiguration = 2;
    private const int NotWanted = 3;
    private const int NoControlPlane = 4;
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(3);

    public static async Task<int> RunAsync(string path, TimeProvider time, BoxLog log)
    {
        var loaded = BoxConfiguration.Load(path);
        if (loaded.Problem is { } problem) return Refuse(log, problem);
        var configuration = loaded.Value;
        using var state = BoxState.TryOpen(configuration.State, configuration.Sandbox.ToString(), configuration.Generation);
        if (state is null) return Refuse(log, new Problem("box_state_in_use", $"Another program uses {configuration.State}; end it first."));

        ProcessFamily.AdoptOrphans();
        await using var parts = new BoxParts(configuration, state, time, log);
        log.Started(configuration.ToString(), parts.Loopback.Port);
        var verdict = await ServeAsync(parts);
        await ProcessFamily.EndAsync(time);
        return verdict switch
        {
            BridgeVerdict.Refused => NotWanted,
            BridgeVerdict.Lonely => NoControlPlane,
            _ => Ok,
        };
    }

    private static async Task<BridgeVerdict> ServeAsync(BoxParts parts)
    {
        using var stop = new CancellationTokenSource();
        using var hangUp = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => OnSignal(context, stop));
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => OnSignal(context, stop));
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => context.Cancel = true);

        await using var supervisor = new Supervisor(parts, name => AgentRuntimes.Find(name, parts.Configuration.Agents, parts.Time));
        var background = Task.WhenAll(new Heartbeat(parts, supervisor).RunAsync(stop.Token), new OrphanReaper(parts.Time).RunAsync(stop.Token));
        var bridging = Loop(parts).RunAsync(hangUp.Token);
        var supervising = supervisor.RunAsync(stop.Token);

        await Task.WhenAny(bridging, supervising);
        parts.Log.Ending(bridging.IsCompleted ? "the control plane is gone for good" : "asked to");
        await stop.CancelAsync();
        await supervising;
        await supervisor.DisposeAsync();
        await DrainAsync(parts, bridging);
        await hangUp.CancelAsync();
        await background;
        return await bridging;
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

    private static void OnSignal(PosixSignalContext context, CancellationTokenSource stop)
    {
        context.Cancel = true;
        stop.Cancel();
    }

    private static int Refuse(BoxLog log, Problem problem)
    {
        log.Ending($"{problem.Code}: {problem.Detail}");
        return BadConfiguration;
    }
}
