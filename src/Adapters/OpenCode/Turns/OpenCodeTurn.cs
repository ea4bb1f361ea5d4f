using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Coordinator.Adapters.OpenCode.Server;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.OpenCode.Turns;

/// <summary>
/// Runs one turn from its prompt to its one end. A turn is over when the session is at rest and the store has the end
/// of its last message; a late or second <c>session.idle</c> decides nothing by itself.
/// </summary>
internal sealed class OpenCodeTurn(OpenCodeServer server, OpenCodeSession session, OpenCodePrompt prompt, OpenCodeOptions options, TimeProvider time) : IAsyncDisposable
{
    private readonly TurnTranslator translator = new(session.Id, prompt.MessageId, session.Directory);
    private TurnFeed? feed;
    private long promptedAt;
    private long? restingSince;
    private bool rechecking;
    private bool over;
    private volatile bool cancelled;

    private TurnFeed Feed => feed ?? throw new InvalidOperationException("The turn does not run.");

    /// <summary>Asks the agent to stop, also while nobody takes the turn's updates. They end when it has stopped.</summary>
    public async Task CancelAsync(CancellationToken cancellationToken)
    {
        cancelled = true;
        await TryAsync(() => server.Api.AbortAsync(session.Id, cancellationToken));
        feed?.Later(new TurnInput.CancelDue(), options.CancelGrace);
        feed?.Later(new TurnInput.Recheck(), options.RecheckInterval);
    }

    public async IAsyncEnumerable<AgentUpdate> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var updates = new List<AgentUpdate>();
        AgentUpdate.TurnEnded? ended = null;
        feed = new TurnFeed(server, options, time);
        while (ended is null)
        {
            var input = await feed.NextAsync(cancellationToken);
            ended = await StepAsync(input, updates, cancellationToken);
            foreach (var update in updates) yield return update;
            updates.Clear();
        }

        over = true;
        yield return ended;
    }

    /// <summary>A turn that nobody follows any more is stopped, so that nothing goes on unseen.</summary>
    public async ValueTask DisposeAsync()
    {
        if (feed is null) return;
        await feed.DisposeAsync();
        if (over) return;
        using var late = new CancellationTokenSource(options.StopGrace, time);
        try
        {
            await TryAsync(() => server.Api.AbortAsync(session.Id, late.Token));
        }
        catch (OperationCanceledException)
        {
            server.Kill();
        }
    }

    private async Task<AgentUpdate.TurnEnded?> StepAsync(TurnInput input, List<AgentUpdate> updates, CancellationToken cancellationToken)
    {
        switch (input)
        {
            case TurnInput.Connected { Again: false }:
                return await BeginAsync(updates, cancellationToken);
            case TurnInput.Connected:
                translator.Interrupted();
                return await LookAsync(updates, missed: true, cancellationToken);
            case TurnInput.Event(var data):
                return await FollowAsync(translator.Translate(data, updates), updates, cancellationToken);
            case TurnInput.Recheck:
                rechecking = false;
                return await LookAsync(updates, missed: false, cancellationToken);
            case TurnInput.BeginDue:
                return translator.HasBegun ? null : await LookAsync(updates, missed: false, cancellationToken);
            case TurnInput.CancelDue:
                server.Kill();
                return translator.Abandon(cancelled: true, Hung("it did not stop"), updates);
            case TurnInput.Exited(var exit):
                return translator.Abandon(cancelled, Crashed(exit), updates);
            case TurnInput.Hung(var why):
                server.Kill();
                return translator.Abandon(cancelled, Hung(why), updates);
            default:
                throw new InvalidOperationException($"Unknown input {input}.");
        }
    }

    /// <summary>The stream is read from before the prompt on, so that none of its events is missed.</summary>
    private async Task<AgentUpdate.TurnEnded?> BeginAsync(List<AgentUpdate> updates, CancellationToken cancellationToken)
    {
        if (cancelled) return translator.End(cancelled: true, updates);
        promptedAt = time.GetTimestamp();
        try
        {
            await server.Api.PromptAsync(session.Id, prompt.ToJson(), cancellationToken);
        }
        catch (OpenCodeCallException e) when (e.Status is not null)
        {
            return translator.Abandon(cancelled, new TurnFailure("agent_crashed", $"The agent did not take the prompt. {e.Message}"), updates);
        }
        catch (OpenCodeCallException)
        {
            // No answer: it may have been taken. Its events, the store or the watchers will tell.
        }

        Feed.Later(new TurnInput.BeginDue(), options.BeginTimeout);
        return null;
    }

    private async Task<AgentUpdate.TurnEnded?> FollowAsync(TurnSignal signal, List<AgentUpdate> updates, CancellationToken cancellationToken)
    {
        switch (signal)
        {
            case TurnSignal.Rest:
                return await LookAsync(updates, missed: false, cancellationToken);
            case TurnSignal.Busy:
                restingSince = null;
                if (cancelled) await TryAsync(() => server.Api.AbortAsync(session.Id, cancellationToken)); // the stop came before the agent had begun
                return null;
            case TurnSignal.Question:
                await TryAsync(() => server.Api.RejectQuestionAsync(translator.Question, cancellationToken));
                return null;
            default:
                return null;
        }
    }

    /// <summary>Looks whether the session is at rest and its store complete, and takes from the store what is missing.</summary>
    private async Task<AgentUpdate.TurnEnded?> LookAsync(List<AgentUpdate> updates, bool missed, CancellationToken cancellationToken)
    {
        try
        {
            var busy = await server.Api.IsBusyAsync(session.Id, cancellationToken);
            if (busy && !missed)
            {
                restingSince = null;
                return null;
            }

            var stored = await server.Api.MessagesAfterAsync(session.Id, prompt.MessageId, cancellationToken);
            translator.Reconcile(stored, atRest: false, updates);
            if (missed) await ReconsiderQuestionsAsync(updates, cancellationToken);
            if (busy) return null;
            restingSince ??= time.GetTimestamp();
            if (IsOver()) return End(stored, updates);
        }
        catch (OpenCodeCallException)
        {
            // Not answered: it is looked at again until it answers, ends, or the watchdog takes it for hung.
        }

        if (!rechecking) Feed.Later(new TurnInput.Recheck(), options.RecheckInterval);
        rechecking = true;
        return null;
    }

    private bool IsOver()
    {
        if (translator.IsSettled) return true;
        return translator.HasBegun || cancelled
            ? time.GetElapsedTime(restingSince ?? promptedAt) >= options.SettleTimeout
            : time.GetElapsedTime(promptedAt) >= options.BeginTimeout;
    }

    private AgentUpdate.TurnEnded End(IReadOnlyList<JsonElement> stored, List<AgentUpdate> updates)
    {
        translator.Reconcile(stored, atRest: true, updates);
        return translator.HasBegun || cancelled
            ? translator.End(cancelled, updates)
            : translator.Abandon(cancelled, new TurnFailure("agent_hung", "The agent took the prompt and never began with it. Try again."), updates);
    }

    private async Task ReconsiderQuestionsAsync(List<AgentUpdate> updates, CancellationToken cancellationToken)
    {
        foreach (var permission in await server.Api.PermissionsAsync(cancellationToken)) translator.Reconsider(permission, updates);
    }

    private static TurnFailure Hung(string why) => new("agent_hung", $"The agent hung and was ended: {why}. Try again.");

    private static TurnFailure Crashed(AgentExit exit)
    {
        var lastLine = exit.LastOutput.Split('\n')[^1];
        return new TurnFailure("agent_crashed", string.Create(CultureInfo.InvariantCulture, $"The agent ended with exit code {exit.ExitCode} while it worked. Its last output: {(lastLine.Length == 0 ? "(none)" : lastLine)}"));
    }

    /// <summary>For calls whose failure shows by itself: the server has ended, or the watchdog finds that it hangs.</summary>
    private static async Task TryAsync(Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (OpenCodeCallException)
        {
            // See the summary.
        }
    }
}
