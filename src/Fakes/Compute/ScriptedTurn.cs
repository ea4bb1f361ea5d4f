using System.Globalization;
using System.Runtime.CompilerServices;
using Coordinator.Ports.Compute;

namespace Coordinator.Fakes.Compute;

/// <summary>Plays one turn of a scripted agent, cancel, permissions and faults included.</summary>
internal sealed class ScriptedTurn(ScriptedConversation conversation, IEnumerable<ScriptedStep> steps, bool ask, TimeSpan hangLimit, Task<AgentExit> exited, TimeProvider time)
{
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(10);
    private static readonly AgentTokens Used = new(100, 10, 0, 0, 0, 0);

    private readonly TaskCompletionSource cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int turn = conversation.Turns;
    private TaskCompletionSource<bool> answer = NewAnswer();
    private string asked = "";
    private int made;
    private bool refused;

    private bool IsOver => cancelled.Task.IsCompleted || exited.IsCompleted;

    public void Cancel() => cancelled.TrySetResult();

    public void Answer(string permissionId, bool allow)
    {
        if (permissionId == asked) answer.TrySetResult(allow);
    }

    public async IAsyncEnumerable<AgentUpdate> RunAsync(ScriptedAgentFault fault, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var before = new Stack<AgentUpdate>();
        await foreach (var update in RunInOrderAsync(fault, cancellationToken))
        {
            if (fault == ScriptedAgentFault.OutOfOrder && update is not AgentUpdate.TurnEnded)
            {
                before.Push(update);
                continue;
            }

            while (before.TryPop(out var late)) yield return late;
            yield return update;
            if (fault == ScriptedAgentFault.Twice) yield return update;
        }
    }

    private async IAsyncEnumerable<AgentUpdate> RunInOrderAsync(ScriptedAgentFault fault, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var spoke = false;
        foreach (var update in Faulty(fault)) yield return update;
        if (fault == ScriptedAgentFault.Hang)
        {
            await UntilOverAsync(hangLimit, cancellationToken);
            yield return IsOver ? End() : new AgentUpdate.TurnEnded(TurnOutcome.Failed, "agent_hung", "The agent hung and was ended.", Used);
            yield break;
        }

        if (fault == ScriptedAgentFault.Deaf)
        {
            await exited.WaitAsync(cancellationToken);
            throw new ObjectDisposedException("The connection to the agent.");
        }

        foreach (var step in steps)
        {
            if (IsOver || refused) break;
            if (step is ScriptedStep.Fail failure)
            {
                yield return new AgentUpdate.TurnEnded(TurnOutcome.Failed, failure.Code, failure.Detail, Used);
                yield break;
            }

            await foreach (var update in PlayAsync(step, fault, cancellationToken))
            {
                spoke |= update is AgentUpdate.Text or AgentUpdate.ToolStarted;
                yield return update;
            }
        }

        if (fault == ScriptedAgentFault.NoEnd) yield break;
        yield return spoke || IsOver ? End() : new AgentUpdate.TurnEnded(TurnOutcome.Failed, "empty_output", "The agent ended its turn without an answer.", Used);
    }

    private static TaskCompletionSource<bool> NewAnswer() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private IEnumerable<AgentUpdate> Faulty(ScriptedAgentFault fault) => fault switch
    {
        ScriptedAgentFault.Garbage =>
        [
            new AgentUpdate.ToolCompleted("never-started", "bash", null, "{", "\ud83d", null, TimeSpan.FromSeconds(-1), Truncated: false),
            new AgentUpdate.Text("garbage", 7, "\0\u001b[2J"),
            new AgentUpdate.ToolOutput("never-started", "x"),
            new AgentUpdate.FileChanged("../../etc/passwd", FileChange.Modified),
        ],
        ScriptedAgentFault.Flood => Flood(Id("flood")),
        _ => [],
    };

    private static IEnumerable<AgentUpdate> Flood(string part) => Enumerable.Range(0, ScriptedAgentRuntime.FloodSize).Select(n => new AgentUpdate.Text(part, n, "x"));

    private async IAsyncEnumerable<AgentUpdate> PlayAsync(ScriptedStep step, ScriptedAgentFault fault, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        switch (step)
        {
            case ScriptedStep.Say(var text):
                foreach (var update in Words(Id("text"), text)) yield return update;
                break;
            case ScriptedStep.Think(var text):
                yield return new AgentUpdate.Reasoning(Id("thought"), 0, text);
                break;
            case ScriptedStep.Tell(var update):
                yield return update;
                break;
            case ScriptedStep.Wait(var duration):
                await UntilOverAsync(duration, cancellationToken);
                break;
            case ScriptedStep.RunTool tool:
                await foreach (var update in RunToolAsync(tool, fault, cancellationToken)) yield return update;
                break;
            case ScriptedStep.DoTool tool:
                var call = Id("call");
                yield return new AgentUpdate.ToolStarted(call, tool.Tool, null, tool.InputJson);
                var outcome = await tool.Do(cancellationToken);
                yield return new AgentUpdate.ToolCompleted(call, tool.Tool, null, tool.InputJson, outcome.Output, outcome.ExitCode, TimeSpan.Zero, Truncated: false);
                break;
            case ScriptedStep.Endless endless:
                await foreach (var update in GoOnAsync(endless, cancellationToken)) yield return update;
                break;
        }
    }

    private async IAsyncEnumerable<AgentUpdate> RunToolAsync(ScriptedStep.RunTool tool, ScriptedAgentFault fault, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var call = Id("call");
        yield return new AgentUpdate.ToolStarted(call, tool.Tool, null, tool.InputJson);
        if ((ask && tool.Guarded) || fault == ScriptedAgentFault.PermissionNeverAnswered)
        {
            (asked, answer) = (Id("permission"), NewAnswer());
            yield return new AgentUpdate.PermissionAsked(asked, call, tool.Tool, [tool.Pattern], null, tool.InputJson);
            var heard = fault == ScriptedAgentFault.PermissionNeverAnswered ? Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken) : answer.Task;
            await Task.WhenAny(heard, cancelled.Task, exited).WaitAsync(cancellationToken);
            if (IsOver || !await answer.Task)
            {
                refused = true;
                yield return new AgentUpdate.ToolFailed(call, tool.Tool, null, tool.InputJson, IsOver ? "The tool was stopped." : "The user refused it.", TimeSpan.Zero);
                yield break;
            }
        }

        if (tool.Output.Length > 0) yield return new AgentUpdate.ToolOutput(call, tool.Output);
        yield return new AgentUpdate.ToolCompleted(call, tool.Tool, null, tool.InputJson, tool.Output, 0, TimeSpan.Zero, tool.Truncated);
    }

    private async IAsyncEnumerable<AgentUpdate> GoOnAsync(ScriptedStep.Endless step, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var id = Id(step.Tool is null ? "text" : "call");
        if (step.Tool is { } tool)
        {
            yield return new AgentUpdate.ToolStarted(id, tool, null, step.InputJson);
            await UntilOverAsync(Timeout.InfiniteTimeSpan, cancellationToken);
            yield return new AgentUpdate.ToolFailed(id, tool, null, step.InputJson, "The tool was stopped.", TimeSpan.Zero);
            yield break;
        }

        for (var offset = 0; !IsOver; offset += step.Text.Length)
        {
            yield return new AgentUpdate.Text(id, offset, step.Text);
            await UntilOverAsync(Breath, cancellationToken);
        }
    }

    private static IEnumerable<AgentUpdate> Words(string part, string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var space = text.IndexOf(' ', start);
            var end = space < 0 ? text.Length : space + 1;
            yield return new AgentUpdate.Text(part, start, text[start..end]);
            start = end;
        }
    }

    private async Task UntilOverAsync(TimeSpan atMost, CancellationToken cancellationToken) =>
        await Task.WhenAny(Task.Delay(atMost, time, cancellationToken), cancelled.Task, exited).WaitAsync(cancellationToken);

    private AgentUpdate.TurnEnded End() =>
        cancelled.Task.IsCompleted ? new(TurnOutcome.Cancelled, null, null, Used)
        : exited.IsCompleted ? new(TurnOutcome.Failed, "agent_crashed", "The agent ended while it worked.", Used)
        : new(TurnOutcome.Completed, null, null, Used);

    private string Id(string kind) => string.Create(CultureInfo.InvariantCulture, $"{conversation.Id}-{turn}-{kind}-{++made}");
}
