using System.Runtime.CompilerServices;
using Coordinator.Adapters.OpenCode.Server;
using Coordinator.Adapters.OpenCode.Turns;
using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.OpenCode;

/// <summary>
/// Drives OpenCode (1.18) through <c>opencode serve</c>: its V1 HTTP routes and its event stream. A prompt may name a
/// model the server was not started with; the server is then started anew with it, which its conversations survive.
/// </summary>
public sealed class OpenCodeRuntime(OpenCodeOptions options, TimeProvider time) : IAgentRuntime
{
    private readonly TaskCompletionSource<AgentExit> exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<AgentModel> models = [];
    private AgentLaunch? launch;
    private OpenCodeSession? session;
    private Task watching = Task.CompletedTask;
    private volatile OpenCodeServer? server;
    private volatile OpenCodeTurn? turn;
    private volatile bool cancelAsked;

    public OpenCodeRuntime(TimeProvider time)
        : this(OpenCodeOptions.Default, time)
    {
    }

    public string Name => "opencode";

    public Task<AgentExit> Exited => exited.Task;

    public int ProcessId => server?.ProcessId ?? 0;

    private OpenCodeServer Server => server ?? throw new InvalidOperationException("The agent has not been started.");

    public async ValueTask<AgentInfo> StartAsync(AgentLaunch launch, CancellationToken cancellationToken)
    {
        if (this.launch is not null) throw new InvalidOperationException("The agent has been started.");
        this.launch = launch;
        models.Add(launch.Model);
        var started = await StartServerAsync(launch, cancellationToken);
        return new AgentInfo(Name, started.Version);
    }

    public async ValueTask<AgentConversation> OpenAsync(string? resumeId, CancellationToken cancellationToken)
    {
        try
        {
            var found = resumeId is null ? null : await Server.Api.FindSessionAsync(resumeId, cancellationToken);
            session = found ?? await Server.Api.CreateSessionAsync(cancellationToken);
            return new AgentConversation(session.Id, Resumed: found is not null);
        }
        catch (OpenCodeCallException e)
        {
            throw Failed(e);
        }
    }

    public async IAsyncEnumerable<AgentUpdate> PromptAsync(AgentPrompt prompt, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var conversation = session ?? throw new InvalidOperationException("No conversation is open.");
        if (turn is not null) throw new InvalidOperationException("A turn is running.");
        cancelAsked = false;
        if (await KnowModelAsync(prompt.Model, cancellationToken) is { } failure)
        {
            yield return failure;
            yield break;
        }

        await using var running = new OpenCodeTurn(Server, conversation, new OpenCodePrompt(MessageIds.Next(time), prompt), options, time);
        turn = running;
        if (cancelAsked) await running.CancelAsync(cancellationToken);
        try
        {
            await foreach (var update in running.RunAsync(cancellationToken))
            {
                if (update is AgentUpdate.PermissionAsked asked && !launch!.AskPermissions) await DeclineAsync(asked, cancellationToken);
                else yield return update;
            }
        }
        finally
        {
            turn = null;
        }
    }

    public async ValueTask CancelAsync(CancellationToken cancellationToken)
    {
        cancelAsked = true; // for a turn that is about to run
        if (turn is { } running) await running.CancelAsync(cancellationToken);
    }

    public async ValueTask AnswerPermissionAsync(string permissionId, bool allow, string? note, CancellationToken cancellationToken)
    {
        try
        {
            await Server.Api.ReplyPermissionAsync(permissionId, allow, note, cancellationToken);
        }
        catch (OpenCodeCallException e)
        {
            throw Failed(e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (server is { } running) await running.DisposeAsync();
        await Task.WhenAny(watching, Task.Delay(options.StopGrace, time));
    }

    private static PortException Failed(OpenCodeCallException e) =>
        e.Status is null
            ? new PortException(PortFailureKind.Unavailable, e.Message, effectMayHaveHappened: true, inner: e)
            : new PortException(PortFailureKind.Rejected, e.Message, inner: e);

    /// <summary>Nobody answers questions in this session: one that OpenCode asks all the same must not hang for ever.</summary>
    private async Task DeclineAsync(AgentUpdate.PermissionAsked asked, CancellationToken cancellationToken)
    {
        try
        {
            await Server.Api.ReplyPermissionAsync(asked.PermissionId, allow: false, "This is not allowed here. Go on without it.", cancellationToken);
        }
        catch (OpenCodeCallException)
        {
            // The server has ended or hangs, which ends the turn.
        }
    }

    private async Task<OpenCodeServer> StartServerAsync(AgentLaunch how, CancellationToken cancellationToken)
    {
        var started = await OpenCodeServer.StartAsync(how, models, options, time, cancellationToken);
        server = started;
        watching = WatchAsync(started);
        return started;
    }

    /// <summary>A server that was replaced has ended because it was to.</summary>
    private async Task WatchAsync(OpenCodeServer started)
    {
        var exit = await started.Exited;
        if (ReferenceEquals(server, started)) exited.TrySetResult(exit);
    }

    /// <summary>Null when the server knows the model, if need be after a new start; otherwise how the turn ends.</summary>
    private async Task<AgentUpdate.TurnEnded?> KnowModelAsync(AgentModel model, CancellationToken cancellationToken)
    {
        if (models.Contains(model)) return null;
        models.RemoveAll(known => known.FullName == model.FullName);
        models.Add(model);
        var old = Server;
        server = null;
        await old.DisposeAsync();
        try
        {
            await StartServerAsync(launch!, cancellationToken);
            return null;
        }
        catch (PortException e)
        {
            exited.TrySetResult(await old.Exited with { LastOutput = e.Message });
            return new AgentUpdate.TurnEnded(TurnOutcome.Failed, "agent_crashed", $"The agent could not be started anew with the model {model.FullName}. {e.Message}", AgentTokens.None);
        }
    }
}
