using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Sandbox.Agent;
using Coordinator.Sandbox.Boot;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Events;
using Coordinator.Sandbox.Processes;

namespace Coordinator.Sandbox.Commands;

/// <summary>
/// Carries out what is asked, one thing after another: boots once it is told what for, runs turns, hands
/// cancels and decisions to the turn they are for. Slow work runs beside it and is waited for at the end.
/// </summary>
internal sealed class Supervisor(BoxParts parts, FindAgent findAgent) : IAsyncDisposable
{
    /// <summary>
    /// How often what runs is ended for the disk's sake before the box is. After the first the disk may still be found to
    /// have grown, by what was written between the look and the end.
    /// </summary>
    private const int MostClearings = 2;

    private readonly List<Task> deciding = [];
    private readonly CancellationTokenSource diskIsFull = new();
    private readonly TaskCompletionSource<Problem?> booted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task booting = Task.CompletedTask;
    private Task running = Task.CompletedTask;
    private Task clearing = Task.CompletedTask;
    private AgentHost? agent;
    private bool configured;
    private Turn? turn;
    private int clearings;

    /// <summary>Whether the box ends because its workspace grew on, whatever was ended.</summary>
    public bool DiskGrowsOn { get; private set; }

    /// <summary>Whether the box boots or works on a message.</summary>
    public bool IsBusy => !booting.IsCompleted || !running.IsCompleted;

    /// <summary>Runs until it is asked to shut down, and returns the reason; or until <paramref name="stop"/>.</summary>
    public async Task<string?> RunAsync(CancellationToken stop)
    {
        try
        {
            await foreach (var order in parts.Orders.ReadAllAsync(stop))
            {
                if (order is BoxOrder.Shutdown shutdown) return shutdown.Reason;
                if (order is BoxOrder.StopGrowth growth && !StopGrowth(growth.UsedBytes)) return "the workspace grows on";
                Carry(order, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }

        return null;
    }

    /// <summary>Waits for what runs, which <c>stop</c> has told to end, and ends the agent, however that went.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await booting;
            await clearing;
            await running;
            await Task.WhenAll(deciding);
        }
        finally
        {
            if (agent is not null) await agent.DisposeAsync();
            diskIsFull.Dispose();
        }
    }

    private void Carry(BoxOrder order, CancellationToken stop)
    {
        switch (order)
        {
            case BoxOrder.Configure configure when !configured:
                configured = true;
                booting = BootAsync(configure.Settings, stop);
                break;
            case BoxOrder.StartTurn start:
                clearings = 0;
                running = StartTurnAsync(start.Request, running, stop);
                break;
            case BoxOrder.CancelTurn cancel when turn?.Message == cancel.Message:
                turn.Cancel();
                break;
            case BoxOrder.Decide decide when turn is { } asking:
                deciding.RemoveAll(done => done.IsCompletedSuccessfully);
                deciding.Add(asking.DecideAsync(decide.Permission, decide.Allow, decide.Note, stop));
                break;
        }
    }

    /// <summary>
    /// The workspace holds more than it may and grows: what runs is stopped before it fills the machine's disk. False when
    /// nothing is left to stop but the box.
    /// </summary>
    private bool StopGrowth(long used)
    {
        var problem = new Problem("disk_full", $"Workspace and home hold {used / 1024 / 1024} MiB, which is more than the {parts.Configuration.DiskBytes / 1024 / 1024} MiB they may.");
        if (!booted.Task.IsCompleted) StopBoot(problem);
        else if (turn is { HasEnded: false } working)
        {
            working.Fail(MessageEnd.Failed(problem.Code, $"{problem.Detail} Ask for files to be deleted, or start a new session."));
        }
        else if (clearings++ < MostClearings)
        {
            running = EndProcessesAsync(running);
        }
        else
        {
            DiskGrowsOn = true;
            parts.Bridge.Emit(parts.Lifecycle.AgentFailed(problem with { Detail = $"{problem.Detail} They grew on after everything that ran in the box was ended, and so the box ends. Send a message that asks for files to be deleted, or start a new session." }));
        }

        return !DiskGrowsOn;
    }

    /// <summary>
    /// The command that clones or installs is stopped first, and tells so. What grows after that is the agent's start, or
    /// was left by the install.
    /// </summary>
    private void StopBoot(Problem problem)
    {
        if (!configured) return;
        if (!diskIsFull.IsCancellationRequested)
        {
            diskIsFull.Cancel();
        }
        else if (clearings++ < MostClearings)
        {
            parts.Log.EndingProcesses("the workspace holds more than it may and grows while the box boots");
            clearing = Task.WhenAll(clearing, parts.EndProcesses());
        }
        else
        {
            DiskGrowsOn = true;
            parts.Bridge.Emit(parts.Lifecycle.BootFailed(problem with { Detail = $"{problem.Detail} They grew on while the box booted, whatever was ended. Use a smaller repository, or have the box given more room." }));
        }
    }

    /// <summary>No turn runs, so what writes was left by an earlier one. The agent is started anew by the next turn.</summary>
    private async Task EndProcessesAsync(Task before)
    {
        await before;
        parts.Log.EndingProcesses("the workspace holds more than it may and grows without a turn");
        if (agent is not null) await agent.DropAsync();
        await parts.EndProcesses();
    }

    private async Task BootAsync(BoxSettings settings, CancellationToken stop)
    {
        var program = Environment.ProcessPath ?? "coordinator-box";
        var inherited = Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal);
        var tools = ToolEnvironment.Build(parts.Configuration, inherited, parts.Loopback.Port, program);
        var found = findAgent(settings.Agent);
        StartAgent start = found.Problem is { } unknown ? _ => Task.FromResult<Result<StartedAgent>>(unknown) : CreateAgent(found.Value, settings, tools).EnsureStartedAsync;
        var plan = new BootPlan(parts.Configuration.Workspace, tools, settings) { DiskIsFull = diskIsFull.Token };
        var sequence = new BootSequence(plan, parts.State, start, parts.Bridge, parts.Lifecycle, parts.Time, parts.Log);
        try
        {
            booted.SetResult(await sequence.RunAsync(stop));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            booted.SetCanceled(stop);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            parts.Log.Failed("the boot failed", exception);
            var problem = new Problem("boot_failed", $"The box could not be set up: {exception.Message}");
            parts.Bridge.Emit(parts.Lifecycle.BootFailed(problem));
            booted.SetResult(problem);
        }
    }

    private AgentHost CreateAgent(AvailableAgent found, BoxSettings settings, IReadOnlyDictionary<string, string> tools)
    {
        var configuration = parts.Configuration;
        var launch = new AgentLaunch(
            found.Executable,
            configuration.Workspace,
            configuration.Home,
            tools,
            parts.Loopback.ModelBaseUrl,
            settings.Model,
            settings.AsksPermissions,
            settings.Limits.AgentStartBudget ?? TimeSpan.FromSeconds(configuration.AgentStartSeconds));
        return agent = new AgentHost(found.NewRuntime, launch, parts.State, parts.Log);
    }

    /// <summary>The turn exists from now on, so that a cancel finds it, and runs once the one before it has ended.</summary>
    private async Task StartTurnAsync(PromptRequest request, Task before, CancellationToken stop)
    {
        if (agent is null)
        {
            // Booting has not come to the agent's name or never will; the turn tells how that ended.
            await EndWithoutAgentAsync(request, stop);
            return;
        }

        var services = new TurnServices(parts.Identity, agent, parts.Bridge, parts.Lifecycle, parts.Redactor, parts.Artifacts, () => parts.Models.CallsUnderWay, HangWatch.DefaultLimit, parts.Time, parts.Log);
        var started = turn = new Turn(request, services);
        await before;
        await started.RunAsync(booted.Task, stop);
    }

    private async Task EndWithoutAgentAsync(PromptRequest request, CancellationToken stop)
    {
        await ((Task)booted.Task).WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (stop.IsCancellationRequested) return;
        var problem = await booted.Task;
        parts.Bridge.EndTurn(request.Message, MessageEnd.Failed(problem?.Code ?? "agent_start_failed", problem?.Detail ?? "This box has no agent."));
    }
}
