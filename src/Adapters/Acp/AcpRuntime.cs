using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Coordinator.Adapters.Acp.Connection;
using Coordinator.Adapters.Acp.Turns;
using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.Acp;

/// <summary>
/// Drives any agent that speaks the Agent Client Protocol, version 1, over its standard input and output. The protocol
/// has no store to reconcile with and no health check: what was streamed is what there is, and a hung agent is found
/// by the turn's own deadline. A note on a refused permission has no place in it and is not passed on.
/// </summary>
public sealed class AcpRuntime(AcpAgentProfile profile, AcpOptions options, TimeProvider time) : IAgentRuntime
{
    private readonly TaskCompletionSource<AgentExit> exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<AgentModel> models = [];
    private AgentLaunch? launch;
    private AgentModel? chosen;
    private decimal? cost;
    private Task watching = Task.CompletedTask;
    private volatile AcpAgent? agent;
    private volatile AcpTurn? turn;
    private volatile bool cancelAsked;
    private int turns;

    public AcpRuntime(AcpAgentProfile profile, TimeProvider time)
        : this(profile, AcpOptions.Default, time)
    {
    }

    public string Name => profile.Name;

    public Task<AgentExit> Exited => exited.Task;

    public int ProcessId => agent?.Process.Id ?? 0;

    private AcpAgent Agent => agent ?? throw new InvalidOperationException("The agent has not been started.");

    public async ValueTask<AgentInfo> StartAsync(AgentLaunch launch, CancellationToken cancellationToken)
    {
        if (this.launch is not null) throw new InvalidOperationException("The agent has been started.");
        this.launch = launch;
        models.Add(launch.Model);
        return await StartAgentAsync(launch, cancellationToken);
    }

    public async ValueTask<AgentConversation> OpenAsync(string? resumeId, CancellationToken cancellationToken)
    {
        try
        {
            var resumed = await Agent.OpenAsync(resumeId, launch!.WorkingDirectory, cancellationToken);
            (chosen, cost) = (null, resumed ? null : 0m);
            return new AgentConversation(Agent.Session, resumed);
        }
        catch (AcpCallException e)
        {
            throw Failed(e, PortFailureKind.Unavailable);
        }
    }

    public async IAsyncEnumerable<AgentUpdate> PromptAsync(AgentPrompt prompt, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (Agent.Session.Length == 0) throw new InvalidOperationException("No conversation is open.");
        if (turn is not null) throw new InvalidOperationException("A turn is running.");
        cancelAsked = false;
        if (await ChooseModelAsync(prompt.Model, cancellationToken) is { } failure)
        {
            yield return failure;
            yield break;
        }

        var translator = new AcpTranslator(NextTurn(), launch!.WorkingDirectory, cost, time);
        await using var running = new AcpTurn(Agent.Process, Agent.Connection, Agent.Session, translator, launch.AskPermissions, options, time);
        turn = running;
        if (cancelAsked) await running.CancelAsync(cancellationToken);
        try
        {
            await foreach (var update in running.RunAsync(Content(prompt), cancellationToken)) yield return update;
        }
        finally
        {
            turn = null;
            cost = translator.Cost;
        }
    }

    public async ValueTask CancelAsync(CancellationToken cancellationToken)
    {
        cancelAsked = true; // for a turn that is about to run
        if (turn is { } running) await running.CancelAsync(cancellationToken);
    }

    public async ValueTask AnswerPermissionAsync(string permissionId, bool allow, string? note, CancellationToken cancellationToken)
    {
        if (turn is { } running) await running.AnswerAsync(permissionId, allow, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (agent is { } running) await running.DisposeAsync();
        await Task.WhenAny(watching, Task.Delay(options.StopGrace, time));
    }

    /// <summary>The history of a new conversation is a block of the first prompt, and so stays in it.</summary>
    private static JsonArray Content(AgentPrompt prompt)
    {
        var content = new JsonArray();
        if (!string.IsNullOrWhiteSpace(prompt.History)) content.Add((JsonNode)Text($"<earlier-conversation>\n{prompt.History}\n</earlier-conversation>"));
        content.Add((JsonNode)Text(prompt.Text));
        return content;
    }

    private static JsonObject Text(string text) => new() { ["type"] = "text", ["text"] = text };

    private static PortException Failed(AcpCallException e, PortFailureKind kind) => new(kind, e.Message, effectMayHaveHappened: e.Error is null, inner: e);

    /// <summary>Unique among all turns of all processes on a conversation.</summary>
    private string NextTurn() => string.Create(CultureInfo.InvariantCulture, $"t{time.GetUtcNow().ToUnixTimeMilliseconds():x}-{++turns}");

    private async Task<AgentInfo> StartAgentAsync(AgentLaunch how, CancellationToken cancellationToken)
    {
        var process = AcpProcess.Start(how, profile.Arguments, profile.Prepare(how, models), options.StopGrace, time);
        var started = new AcpAgent(profile, process, new AcpConnection(process.Input, process.Output, time), options);
        try
        {
            var info = await started.InitializeAsync(how.StartTimeout, cancellationToken);
            agent = started;
            watching = WatchAsync(started);
            return info;
        }
        catch (AcpCallException e)
        {
            var late = e.InnerException is OperationCanceledException;
            process.Kill();
            await started.DisposeAsync();
            throw new PortException(late ? PortFailureKind.Timeout : PortFailureKind.Unavailable, $"{e.Message} Its last output: {process.LastOutput}", inner: e);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            await started.DisposeAsync();
            throw;
        }
    }

    /// <summary>A process that was replaced has ended because it was to.</summary>
    private async Task WatchAsync(AcpAgent started)
    {
        var exit = await started.Process.Exited;
        if (ReferenceEquals(agent, started)) exited.TrySetResult(exit);
    }

    /// <summary>Null when the conversation has the model, if need be after a new start; otherwise how the turn ends.</summary>
    private async Task<AgentUpdate.TurnEnded?> ChooseModelAsync(AgentModel model, CancellationToken cancellationToken)
    {
        if (model == chosen) return null;
        try
        {
            if (!models.Contains(model) || (profile.ModelValue is null && models[^1] != model)) await RestartAsync(model, cancellationToken);
            await Agent.ChooseAsync(model, cancellationToken);
            chosen = model;
            return null;
        }
        catch (Exception e) when (e is PortException or AcpCallException)
        {
            if (agent is null) exited.TrySetResult(new AgentExit(-1, e.Message));
            return new AgentUpdate.TurnEnded(TurnOutcome.Failed, "agent_crashed", $"The agent could not be given the model {model.FullName}. {e.Message}", AgentTokens.None);
        }
    }

    private async Task RestartAsync(AgentModel model, CancellationToken cancellationToken)
    {
        models.RemoveAll(known => known.FullName == model.FullName);
        models.Add(model);
        var old = Agent;
        agent = null;
        await old.DisposeAsync();
        await StartAgentAsync(launch!, cancellationToken);
        if (!await Agent.OpenAsync(old.Session, launch!.WorkingDirectory, cancellationToken)) throw new AcpCallException("Its conversation could not be resumed.");
    }
}
