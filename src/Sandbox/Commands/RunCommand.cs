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
    private const int NoDisk = 5;

    public static async Task<int> RunAsync(string path, TimeProvider time, BoxLog log)
    {
        var loaded = BoxConfiguration.Load(path);
        if (loaded.Problem is { } problem) return Refuse(log, problem);
        var configuration = loaded.Value;
        try
        {
            return await RunAsync(configuration, time, log);
        }
        catch (SpoolNotRenewedException failure)
        {
            log.Ending(failure.Message);
            return NoDisk;
        }
    }

    private static async Task<int> RunAsync(BoxConfiguration configuration, TimeProvider time, BoxLog log)
    {
        using var state = BoxState.TryOpen(configuration.State, configuration.Sandbox.ToString(), configuration.Generation);
        if (state is null) return Refuse(log, new Problem("box_state_in_use", $"Another program uses {configuration.State}; end it first."));

        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => OnSignal(context, stop));
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => OnSignal(context, stop));
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => context.Cancel = true);
        ProcessFamily.AdoptOrphans();
        if (Environment.GetEnvironmentVariable(ToolEnvironment.UnisolatedMark) is null) Signals.HideFromPeers();
        await using var parts = new BoxParts(configuration, state, time, log);
        log.Started(configuration.ToString(), parts.Loopback.Port);
        try
        {
            return CodeOf(await BoxLife.RunAsync(parts, name => AgentRuntimes.Find(name, configuration.Agents, time), stop.Token));
        }
        finally
        {
            await ProcessFamily.EndAsync(Environment.ProcessId, time);
        }
    }

    /// <summary>The exit code that says how the box ended.</summary>
    public static int CodeOf(BridgeVerdict verdict) => verdict switch
    {
        BridgeVerdict.Refused => NotWanted,
        BridgeVerdict.Lonely => NoControlPlane,
        BridgeVerdict.NoDisk => NoDisk,
        _ => Ok,
    };

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
