using System.Runtime.CompilerServices;
using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Fakes.Compute;

/// <summary>
/// An agent without a process: it plays a script, keeps its conversations in a <see cref="ScriptedAgentStore"/>, and
/// can be made to fail. Time is the given clock's.
/// </summary>
public sealed class ScriptedAgentRuntime(ScriptedAgentStore store, TimeProvider time, AgentScript? script = null) : IAgentRuntime
{
    /// <summary>How many updates a flood has.</summary>
    public const int FloodSize = 50_000;

    private readonly TaskCompletionSource<AgentExit> exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private AgentLaunch? launch;
    private ScriptedConversation? conversation;
    private ScriptedTurn? turn;

    public string Name => "scripted";

    /// <summary>Goes wrong in the next turn, once.</summary>
    public ScriptedAgentFault NextFault { get; set; }

    /// <summary>How long a silent process is believed to live.</summary>
    public TimeSpan HangLimit { get; init; } = TimeSpan.FromSeconds(45);

    public Task<AgentExit> Exited => exited.Task;

    public int ProcessId { get; private set; }

    public ValueTask<AgentInfo> StartAsync(AgentLaunch launch, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (launch.Executable.StartsWith("/nowhere/", StringComparison.Ordinal))
        {
            throw new PortException(PortFailureKind.Unavailable, $"'{launch.Executable}' could not be started.");
        }

        this.launch = launch;
        ProcessId = 1;
        return new(new AgentInfo(Name, "1.0.0"));
    }

    public ValueTask<AgentConversation> OpenAsync(string? resumeId, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var home = Launched().HomeDirectory;
        var found = resumeId is null ? null : store.Find(home, resumeId);
        conversation = found ?? store.Create(home);
        return new(new AgentConversation(conversation.Id, Resumed: found is not null));
    }

    public async IAsyncEnumerable<AgentUpdate> PromptAsync(AgentPrompt prompt, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var running = conversation ?? throw new InvalidOperationException("No conversation is open.");
        if (turn is not null) throw new InvalidOperationException("A turn is running.");
        store.Took(prompt);
        running.Turns++;
        if (prompt.History is { } history) running.UserTexts.Add(history);
        running.UserTexts.Add(prompt.Text);
        var fault = NextFault;
        NextFault = ScriptedAgentFault.None;
        turn = new ScriptedTurn(running, (script ?? DirectiveScript.Play)(running, prompt), Launched().AskPermissions, HangLimit, exited.Task, time);
        try
        {
            await foreach (var update in turn.RunAsync(fault, cancellationToken))
            {
                yield return update;
                if (fault == ScriptedAgentFault.Crash) Crash();
            }
        }
        finally
        {
            turn = null;
        }
    }

    public ValueTask CancelAsync(CancellationToken cancellationToken)
    {
        turn?.Cancel();
        return ValueTask.CompletedTask;
    }

    public ValueTask AnswerPermissionAsync(string permissionId, bool allow, string? note, CancellationToken cancellationToken)
    {
        turn?.Answer(permissionId, allow);
        return ValueTask.CompletedTask;
    }

    /// <summary>kill -9.</summary>
    public void Crash() => exited.TrySetResult(new AgentExit(137, "Killed"));

    public ValueTask DisposeAsync()
    {
        exited.TrySetResult(new AgentExit(0, ""));
        return ValueTask.CompletedTask;
    }

    private AgentLaunch Launched() => launch ?? throw new InvalidOperationException("The agent has not been started.");
}
