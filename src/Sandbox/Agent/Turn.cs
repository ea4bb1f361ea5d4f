using System.Collections.Concurrent;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Sandbox.Boot;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Events;
using Coordinator.Sandbox.Processes;

namespace Coordinator.Sandbox.Agent;

/// <summary>
/// Runs one message through the agent and tells its end exactly once, whatever happens: the agent's own word, a
/// cancel, a crash, a hang, or the end of the box.
/// </summary>
internal sealed class Turn(PromptRequest request, TurnServices services)
{
    private static readonly TimeSpan HangLook = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource cancelAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource updatesEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<PermissionId, string> questions = new();
    private readonly HangWatch hang = new(services.HangLimit, services.Time);
    private readonly TurnReport report = new(request.Message, services.Bridge, services.Redactor, services.Time);
    private AgentUpdate.TurnEnded? last;
    private MessageEnd? verdict;

    public MessageId Message => request.Message;

    /// <summary>Whether its end is known, which is told next.</summary>
    public bool HasEnded { get; private set; }

    private bool IsCancelled => cancelAsked.Task.IsCompleted;

    /// <summary>Asks for the turn's end; it ends as cancelled. Safe at any time.</summary>
    public void Cancel() => cancelAsked.TrySetResult();

    /// <summary>Stops the turn, which then ends in this way; the first verdict counts.</summary>
    public void Fail(MessageEnd end)
    {
        Interlocked.CompareExchange(ref verdict, end, null);
        Cancel();
    }

    /// <summary>Hands a decision to the agent and confirms that it arrived.</summary>
    public async Task DecideAsync(PermissionId permission, bool allow, string? note, CancellationToken cancellationToken)
    {
        if (questions.TryRemove(permission, out var asked))
        {
            try
            {
                await services.Agent.Runtime.AnswerPermissionAsync(asked, allow, note, cancellationToken);
            }
            catch (Exception exception) when (exception is PortException or InvalidOperationException)
            {
                // The agent is gone or going; how the turn ends is told by its end.
                services.Log.Failed("a decision did not reach the agent", exception);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return; // the box ends, and nobody knows whether it arrived
            }

            hang.QuestionClosed();
        }

        services.Bridge.Confirm(permission);
    }

    /// <summary>Runs to the end. Only <paramref name="stop"/>, the end of the box, cuts it short.</summary>
    /// <param name="boot">Completes with null when the box is ready, else with why it is not.</param>
    public async Task RunAsync(Task<Problem?> boot, CancellationToken stop)
    {
        MessageEnd end;
        try
        {
            end = await RunToEndAsync(boot, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            end = MessageEnd.Failed("interrupted", "The box was stopped while this message ran. Send it again to go on.");
        }
        catch (Exception exception)
        {
            services.Log.Failed("a turn failed", exception);
            end = MessageEnd.Failed("agent_crashed", "The agent could not be followed any more. Send the message again; the agent is started anew.");
            await services.Agent.DropAsync();
        }

        services.Log.TurnEnded(Message.ToString(), end.Outcome.ToString());
        HasEnded = true;
        services.Bridge.EndTurn(Message, end);
    }

    private async Task<MessageEnd> RunToEndAsync(Task<Problem?> boot, CancellationToken stop)
    {
        if (await boot.WaitAsync(stop) is { } notBooted) return new MessageEnd(TurnOutcome.Failed, notBooted.Code, notBooted.Detail, AgentTokens.None);
        var started = await services.Agent.EnsureStartedAsync(stop);
        if (started.Problem is { } notStarted)
        {
            services.Bridge.Emit(services.Lifecycle.AgentFailed(notStarted));
            return new MessageEnd(TurnOutcome.Failed, notStarted.Code, notStarted.Detail, AgentTokens.None);
        }

        var tools = ToolProcesses.Before(services.Agent.Runtime.ProcessId);
        if (!await MayBeginAsync(stop)) return verdict ?? MessageEnd.Cancelled;
        using var abandon = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var prompt = new AgentPrompt(request.Text, request.Model, services.Agent.TakeHistory(request.History));
        var updates = services.Agent.Runtime.PromptAsync(prompt, abandon.Token).GetAsyncEnumerator(abandon.Token);
        var first = updates.MoveNextAsync().AsTask();
        // Only from here on: an agent does not hear a cancel that comes before its turn's first step.
        var cancelling = StopWhenAskedAsync(tools, abandon);
        try
        {
            await FollowAsync(updates, first, abandon.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            services.Log.AgentNotResponding("its turn was abandoned");
        }
        catch (Exception exception) when (IsCancelled && exception is not OperationCanceledException)
        {
            // It was ended because it did not let go of the turn: what it was stopped for is how the turn ends, however its updates broke off.
            services.Log.Failed("an agent that was ended could not be followed to its end", exception);
        }
        finally
        {
            updatesEnded.TrySetResult();
        }

        await cancelling;
        report.Flush();
        return End();
    }

    /// <summary>Waits until there is room for what the agent will say; false when the turn's end was asked for by then.</summary>
    private async Task<bool> MayBeginAsync(CancellationToken stop)
    {
        var room = services.Bridge.WaitForRoomAsync(stop).AsTask();
        await Task.WhenAny(room, cancelAsked.Task);
        if (IsCancelled) return false;
        await room;
        return true;
    }

    /// <summary>Reads the agent's updates, no faster than the spool takes them, until the turn ends.</summary>
    private async Task FollowAsync(IAsyncEnumerator<AgentUpdate> updates, Task<bool> first, CancellationToken cancellationToken)
    {
        Task<bool>? next = first;
        try
        {
            while (last is null)
            {
                await services.Bridge.WaitForRoomAsync(cancellationToken);
                next ??= updates.MoveNextAsync().AsTask();
                if (!await CompletesAsync(next, report.HeldFor ?? HangLook, cancellationToken)) continue;
                if (!await next) return;
                next = null;
                hang.Sign();
                await TakeAsync(updates.Current, cancellationToken);
            }
        }
        finally
        {
            await CloseAsync(updates, next);
        }
    }

    /// <summary>Waits for the next update; when it takes longer, tells what is held and looks whether the agent still lives.</summary>
    private async Task<bool> CompletesAsync(Task next, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (next.IsCompleted) return true;
        await next.WaitAsync(patience, services.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (next.IsCompleted) return true;
        cancellationToken.ThrowIfCancellationRequested();
        report.Flush();
        if (IsCancelled || !hang.IsHung(services.ModelCalls())) return false;
        services.Log.AgentNotResponding("it waits for nothing and says nothing");
        Fail(MessageEnd.Failed("agent_hung", "The agent stopped responding and was ended. Send the message again; the agent is started anew."));
        return false;
    }

    private async Task TakeAsync(AgentUpdate update, CancellationToken cancellationToken)
    {
        switch (update)
        {
            case AgentUpdate.Text text:
                report.Text(text);
                break;
            case AgentUpdate.Reasoning reasoning:
                report.Reasoning(reasoning);
                break;
            case AgentUpdate.ToolStarted started:
                hang.ToolOpened();
                report.ToolStarted(started);
                break;
            case AgentUpdate.ToolOutput output:
                report.ToolOutput(output);
                break;
            case AgentUpdate.ToolCompleted completed:
                hang.ToolClosed();
                await CompleteToolAsync(completed, cancellationToken);
                break;
            case AgentUpdate.ToolFailed failed:
                hang.ToolClosed();
                report.ToolFailed(failed);
                break;
            case AgentUpdate.Plan plan:
                report.Plan(plan);
                break;
            case AgentUpdate.FileChanged changed:
                report.FileChanged(changed);
                break;
            case AgentUpdate.PermissionAsked asked:
                Ask(asked);
                break;
            case AgentUpdate.Retrying retrying:
                report.Retrying(retrying);
                break;
            case AgentUpdate.TurnEnded ended:
                last = ended;
                break;
        }
    }

    /// <summary>A cancel does not wait for an upload.</summary>
    private async Task CompleteToolAsync(AgentUpdate.ToolCompleted completed, CancellationToken cancellationToken)
    {
        using var upload = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var storing = report.ToolCompletedAsync(completed, services.Artifacts, upload.Token);
        if (await Task.WhenAny(storing, cancelAsked.Task) != storing) await upload.CancelAsync();
        await storing;
    }

    /// <summary>The agent's own ids are not ours: the id is made from the message's and the agent's, the same each time.</summary>
    private void Ask(AgentUpdate.PermissionAsked asked)
    {
        var identity = services.Identity;
        var permission = PermissionId.From(PrefixedId.Derive("permission", identity.Sandbox.ToString(), $"{identity.Generation}", Message.ToString(), asked.PermissionId));
        if (!questions.TryAdd(permission, asked.PermissionId)) return;
        hang.QuestionOpened();
        services.Bridge.Ask(permission, report.PermissionAsked(permission, asked));
    }

    /// <summary>Runs beside the turn; when its end is asked for and the agent does not give it, the agent is ended.</summary>
    private async Task StopWhenAskedAsync(ToolProcesses tools, CancellationTokenSource abandon)
    {
        await Task.WhenAny(cancelAsked.Task, updatesEnded.Task);
        if (!IsCancelled) return;
        var sequence = new CancelSequence(services.Agent.Runtime, tools, services.Time, services.Log);
        if (await sequence.RunAsync(updatesEnded.Task, CancellationToken.None)) return;
        services.Log.AgentNotResponding("it does not let go of a turn; it is ended");
        await services.Agent.DropAsync();
        await updatesEnded.Task.WaitAsync(GiveUp, services.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await abandon.CancelAsync();
    }

    /// <summary>An enumeration in the middle of a step cannot be closed; one that does not end in time is left to the agent's end.</summary>
    private async Task CloseAsync(IAsyncEnumerator<AgentUpdate> updates, Task<bool>? pending)
    {
        if (pending is { IsCompleted: false })
        {
            await ((Task)pending).WaitAsync(GiveUp, services.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!pending.IsCompleted) return;
        }

        await updates.DisposeAsync();
    }

    private MessageEnd End()
    {
        var tokens = last?.Tokens ?? AgentTokens.None;
        if (verdict is { } failed) return failed with { Tokens = tokens };
        if (IsCancelled) return MessageEnd.Cancelled with { Tokens = tokens };
        return last switch
        {
            null => MessageEnd.Failed("agent_crashed", "The agent ended in the middle of its turn. Send the message again; the agent is started anew."),
            { Outcome: TurnOutcome.Completed } when !report.ShowedSomething =>
                new(TurnOutcome.Failed, "empty_output", "The agent ended its turn without saying or doing anything. Send the message again, or choose another model.", tokens),
            { Outcome: TurnOutcome.Failed } => new(TurnOutcome.Failed, last.Code ?? "agent_crashed", last.Detail, tokens),
            _ => new(last.Outcome, last.Code, last.Detail, tokens),
        };
    }
}
