using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Fakes.Compute;
using Coordinator.Modules.SessionAccess.Bridge;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Coordinator.Sandbox;
using Coordinator.Sandbox.Agent;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Commands;
using Coordinator.Sandbox.Events;
using Coordinator.Sandbox.HostLink;
using Coordinator.Sandbox.Storage;

namespace Coordinator.Tests.WalkingSkeleton.World;

/// <summary>What every box of a world is made with.</summary>
internal sealed record SkeletonBoxParts(Func<ISessionHost> Host, BoxBriefings Briefings, IArtifactStore Artifacts, NewRuntime NewRuntime, string AgentExecutable, DetectedEnvironment? Environment, string Folder, TimeProvider Time);

/// <summary>
/// A dev box inside the test: the real bridge, spool, message ledger, turns and agent host of the box program, without
/// its processes, sockets and clone.
/// </summary>
internal sealed class SkeletonBox
{
    private static readonly TimeSpan BeatInterval = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LonelyLimit = TimeSpan.FromMinutes(30);
    private static readonly AgentLaunch Launch = new(
        "/agent", "/workspace", "/home/agent", new Dictionary<string, string>(), new Uri("http://model.invalid/"), new("demo", "scripted", ModelWire.OpenAiChat, 1, 1), false, TimeSpan.FromMinutes(1));

    private readonly SkeletonBoxParts parts;
    private readonly SandboxSpec spec;
    private readonly InMemoryDialer dialer;
    private readonly CancellationTokenSource stop = new();
    private readonly CancellationTokenSource hangUp = new();
    private readonly TaskCompletionSource<Problem?> booted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Task> deciding = [];
    private readonly Redactor redactor = new();
    private readonly LifecycleEvents lifecycle;
    private readonly BoxLog log;
    private Task booting = Task.CompletedTask;
    private Task running = Task.CompletedTask;
    private AgentHost? agent;
    private Turn? turn;
    private BoxShell? shell;

    public SkeletonBox(SkeletonBoxParts parts, SandboxSpec spec, Task before)
    {
        (this.parts, this.spec) = (parts, spec);
        lifecycle = new(redactor);
        log = new(TextWriter.Null, parts.Time);
        dialer = new(parts.Host, parts.Briefings, spec.BridgeToken);
        Ended = Task.Run(() => RunAsync(before));
    }

    public SandboxId Sandbox => spec.Sandbox;

    public SessionId Session => spec.Session;

    /// <summary>Completes when nothing of the box runs any more.</summary>
    public Task Ended { get; }

    /// <summary>Runs a command as a tool of the agent does.</summary>
    public Task<ScriptedOutcome> RunAsync(BoxWay way, string command, CancellationToken cancellationToken)
    {
        shell ??= new(way, spec, redactor, Path.Combine(parts.Folder, $"{spec.Sandbox}"), parts.Time, log);
        return shell.RunAsync(command, cancellationToken);
    }

    /// <summary>How often it has connected.</summary>
    public int Dials => dialer.Opened;

    /// <summary>Its connection breaks; it dials again.</summary>
    public void DropConnection() => dialer.Drop();

    /// <summary>kill -9: not another word.</summary>
    public void Kill()
    {
        dialer.Cut();
        hangUp.Cancel();
        stop.Cancel();
    }

    private async Task RunAsync(Task before)
    {
        await before;
        redactor.Add(spec.BridgeToken);
        var folder = Path.Combine(parts.Folder, spec.Session.ToString());
        using var state = BoxState.TryOpen(folder, spec.Sandbox.ToString(), spec.Generation) ?? throw new InvalidOperationException("Another box has the session's folder.");
        using var store = BridgeStore.Open(state, NewSpoolId);
        var orders = new OrderQueue();
        var identity = new BoxIdentity(spec.Sandbox, spec.Generation);
        var bridge = new BridgeClient(store.NewMachine(identity, lifecycle, NewSpoolId), store, orders, log);
        var schedule = new ReconnectSchedule(ReconnectSchedule.LongestOnSameMachine, () => 0.5);
        var bridging = new BridgeLoop(bridge, dialer, schedule, LonelyLimit, parts.Time, log).RunAsync(hangUp.Token);
        var supervising = SuperviseAsync(orders, identity, bridge, state);
        var beating = BeatAsync(bridge);

        await Task.WhenAny(bridging, supervising);
        await stop.CancelAsync();
        await supervising;
        await booting;
        await running;
        await Task.WhenAll(deciding);
        if (agent is not null) await agent.DisposeAsync();
        if (shell is not null) await shell.DisposeAsync();
        await DrainAsync(bridge, bridging);
        await hangUp.CancelAsync();
        await beating;
        await bridging;
    }

    private async Task SuperviseAsync(OrderQueue orders, BoxIdentity identity, BridgeClient bridge, BoxState state)
    {
        try
        {
            await foreach (var order in orders.ReadAllAsync(stop.Token))
            {
                if (order is BoxOrder.Shutdown) return;
                Carry(order, identity, bridge, state);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            booted.TrySetCanceled(stop.Token);
        }
    }

    private void Carry(BoxOrder order, BoxIdentity identity, BridgeClient bridge, BoxState state)
    {
        switch (order)
        {
            case BoxOrder.Configure configure when agent is null:
                agent = new AgentHost(parts.NewRuntime, Launch with { Executable = parts.AgentExecutable, Model = configure.Settings.Model, AskPermissions = configure.Settings.AsksPermissions }, state, log);
                booting = BootAsync(bridge, agent);
                break;
            case BoxOrder.StartTurn start:
                var artifacts = new StoredArtifacts(parts.Artifacts, spec.Organization, parts.Time);
                turn = new Turn(start.Request, new TurnServices(identity, agent!, bridge, lifecycle, redactor, artifacts, () => 0, HangWatch.DefaultLimit, parts.Time, log));
                running = RunTurnAsync(turn, running);
                break;
            case BoxOrder.CancelTurn cancel when turn?.Message == cancel.Message:
                turn.Cancel();
                break;
            case BoxOrder.Decide decide when turn is { } asking:
                deciding.Add(asking.DecideAsync(decide.Permission, decide.Allow, decide.Note, stop.Token));
                break;
        }
    }

    private async Task BootAsync(BridgeClient bridge, AgentHost starting)
    {
        if (parts.Environment is { } environment) bridge.Emit(LifecycleEvents.Environment(environment));
        bridge.Emit(lifecycle.Phase(new PhaseReport("agent", "started")));
        var started = await starting.EnsureStartedAsync(stop.Token);
        if (started.Problem is { } problem) bridge.Emit(lifecycle.BootFailed(problem));
        else bridge.Emit(LifecycleEvents.Ready(started.Value.Agent, started.Value.Resumed, TimeSpan.Zero));
        booted.TrySetResult(started.Problem);
    }

    private async Task RunTurnAsync(Turn next, Task before)
    {
        await before;
        await next.RunAsync(booted.Task, stop.Token);
    }

    private async Task BeatAsync(BridgeClient bridge)
    {
        while (!hangUp.IsCancellationRequested)
        {
            bridge.Beat(!booting.IsCompleted || !running.IsCompleted, 0, 0);
            await Task.Delay(BeatInterval, parts.Time, hangUp.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task DrainAsync(BridgeClient bridge, Task bridging)
    {
        var drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look()
        {
            if (bridge.IsDrained) drained.TrySetResult();
        }

        bridge.Acknowledged += Look;
        Look();
        using var late = new CancellationTokenSource(DrainTimeout, parts.Time);
        var stillTalking = (Task)Task.WhenAny(drained.Task, bridging).WaitAsync(late.Token);
        await stillTalking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        bridge.Acknowledged -= Look;
    }

    private static string NewSpoolId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
}

/// <summary>The box's way to keep what is too large for an event; as patient as the real one.</summary>
internal sealed class StoredArtifacts(IArtifactStore store, OrganizationId organization, TimeProvider time) : IArtifactUpload
{
    private const int MaxBytes = 64 * 1024 * 1024;
    private const int Tries = 3;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    public async Task<string?> StoreAsync(string text, CancellationToken cancellationToken)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        for (var attempt = 1; attempt <= Tries; attempt++)
        {
            try
            {
                using var content = new MemoryStream(bytes, writable: false);
                return (await store.PutAsync(organization, sha256, content, MaxBytes, cancellationToken)).IsSuccess ? sha256 : null;
            }
            catch (PortException)
            {
                await Task.Delay(Pause, time, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return null;
            }
        }

        return null;
    }
}
