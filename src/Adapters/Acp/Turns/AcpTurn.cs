using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Coordinator.Adapters.Acp.Connection;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.Acp.Turns;

/// <summary>Runs one turn from its prompt to the prompt's answer, the agent's end, or the end of a cancel's patience.</summary>
internal sealed class AcpTurn(AcpProcess process, AcpConnection connection, string session, AcpTranslator translator, bool ask, AcpOptions options, TimeProvider time) : IAsyncDisposable
{
    private const int Capacity = 512;
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(5);

    private readonly Channel<JsonElement> messages = Channel.CreateBounded<JsonElement>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private readonly CancellationTokenSource stop = new();
    private readonly Lock gate = new();
    private readonly Dictionary<string, OpenQuestion> questions = new(StringComparer.Ordinal);
    private Task grace = Task.CompletedTask;
    private Task watching = Task.CompletedTask;
    private bool begun;
    private bool over;
    private volatile bool cancelled;

    public async IAsyncEnumerable<AgentUpdate> RunAsync(JsonArray prompt, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var updates = new List<AgentUpdate>();
        var ended = cancelled ? translator.Abandon(cancelled: true, "", "", updates) : await BeginAsync(prompt, updates, cancellationToken);
        while (ended is null)
        {
            ended = await messages.Reader.WaitToReadAsync(cancellationToken)
                ? await StepAsync(await messages.Reader.ReadAsync(cancellationToken), updates, cancellationToken)
                : translator.Abandon(cancelled, "agent_crashed", Crashed(await process.Exited.WaitAsync(cancellationToken)), updates);
            foreach (var update in updates) yield return update;
            updates.Clear();
        }

        over = true;
        yield return ended;
    }

    /// <summary>Asks the agent to stop, and answers its open questions with that, as the protocol wants it.</summary>
    public async Task CancelAsync(CancellationToken cancellationToken)
    {
        List<OpenQuestion> open;
        lock (gate)
        {
            if (cancelled || over) return;
            cancelled = true;
            open = [.. questions.Values];
            questions.Clear();
            grace = KillLateAsync();
        }

        await TrySendAsync(() => SayCancelledAsync(cancellationToken));
        foreach (var question in open) await TrySendAsync(() => connection.AnswerAsync(question.RequestId, Cancelled(), cancellationToken));
    }

    public async Task AnswerAsync(string permissionId, bool allow, CancellationToken cancellationToken)
    {
        OpenQuestion? question;
        lock (gate)
        {
            if (!questions.Remove(permissionId, out question)) return; // answered before, or cancelled
        }

        await TrySendAsync(() => connection.AnswerAsync(question.RequestId, question.Outcome(allow), cancellationToken));
    }

    /// <summary>A turn that nobody follows any more is stopped and waited for, so that nothing of it reaches the next.</summary>
    public async ValueTask DisposeAsync()
    {
        if (begun && !over)
        {
            await CancelAsync(CancellationToken.None);
            await LeaveAsync();
        }

        connection.StopListening();
        messages.Writer.TryComplete();
        while (messages.Reader.TryRead(out _))
        {
            // The connection may wait for room.
        }

        await stop.CancelAsync();
        await grace;
        await watching;
        stop.Dispose();
    }

    /// <summary>Ends with the prompt's answer, or with the process, which does not outlive the cancel's grace.</summary>
    private async Task LeaveAsync()
    {
        var unseen = new List<AgentUpdate>();
        while (await messages.Reader.WaitToReadAsync())
        {
            if (await StepAsync(await messages.Reader.ReadAsync(), unseen, CancellationToken.None) is not null) return;
            unseen.Clear();
        }
    }

    private async Task<AgentUpdate.TurnEnded?> BeginAsync(JsonArray prompt, List<AgentUpdate> updates, CancellationToken cancellationToken)
    {
        begun = true;
        watching = WatchExitAsync();
        try
        {
            await connection.PromptAsync(new JsonObject { ["sessionId"] = session, ["prompt"] = prompt }, messages.Writer, cancellationToken);
            if (cancelled) await SayCancelledAsync(cancellationToken); // said once it may have come before the prompt, which it then did not stop
            return null;
        }
        catch (AcpCallException) when (process.Exited.IsCompleted)
        {
            return translator.Abandon(cancelled, "agent_crashed", Crashed(await process.Exited), updates);
        }
        catch (AcpCallException e)
        {
            return translator.Abandon(cancelled, "agent_crashed", e.Message, updates);
        }
    }

    private Task SayCancelledAsync(CancellationToken cancellationToken) => connection.NotifyAsync("session/cancel", new JsonObject { ["sessionId"] = session }, cancellationToken);

    private async Task<AgentUpdate.TurnEnded?> StepAsync(JsonElement message, List<AgentUpdate> updates, CancellationToken cancellationToken)
    {
        var parameters = message.Member("params") ?? default;
        switch (message.Text("method"))
        {
            case null:
                return translator.End(message, cancelled, updates);
            case "session/update" when parameters.Text("sessionId") == session:
                translator.Update(parameters.Member("update") ?? default, cancelled, updates);
                return null;
            case "session/request_permission" when message.Member("id") is { } id:
                await AskedAsync(id, parameters, updates, cancellationToken);
                return null;
            case { } method when message.Member("id") is { } id:
                await TrySendAsync(() => connection.DeclineAsync(id, method, cancellationToken));
                return null;
            default:
                return null;
        }
    }

    /// <summary>Where nobody is to be asked the agent may go on: what it must not do, its environment does not let it.</summary>
    private async Task AskedAsync(JsonElement requestId, JsonElement parameters, List<AgentUpdate> updates, CancellationToken cancellationToken)
    {
        var question = new OpenQuestion(requestId, parameters.Items("options").ToList());
        var id = string.Create(CultureInfo.InvariantCulture, $"{session}-permission-{requestId.GetRawText()}");
        var asked = translator.Ask(id, parameters, updates);
        var outcome = ask ? null : question.Outcome(allow: true);
        lock (gate)
        {
            if (cancelled) outcome = Cancelled();
            else if (ask) questions[id] = question;
        }

        if (outcome is null) updates.Add(asked);
        else await TrySendAsync(() => connection.AnswerAsync(requestId, outcome, cancellationToken));
    }

    /// <summary>
    /// The end of the process ends the turn, also where something that it started holds its output open and no end of
    /// that comes. What the agent said before its end comes first.
    /// </summary>
    private async Task WatchExitAsync()
    {
        try
        {
            await process.Exited.WaitAsync(stop.Token);
            long heard;
            do
            {
                heard = connection.Heard;
                await Task.Delay(LastWords, time, stop.Token);
            }
            while (messages.Reader.Count > 0 || connection.Heard != heard);
            messages.Writer.TryComplete();
        }
        catch (OperationCanceledException)
        {
            // The turn ended before the process.
        }
    }

    private async Task KillLateAsync()
    {
        try
        {
            await Task.Delay(options.CancelGrace, time, stop.Token);
            process.Kill();
        }
        catch (OperationCanceledException)
        {
            // It stopped in time.
        }
    }

    private static string Crashed(AgentExit exit)
    {
        var lastLine = exit.LastOutput.Split('\n')[^1];
        return string.Create(CultureInfo.InvariantCulture, $"The agent ended with exit code {exit.ExitCode} while it worked. Its last output: {(lastLine.Length == 0 ? "(none)" : lastLine)}");
    }

    private static JsonObject Cancelled() => new() { ["outcome"] = new JsonObject { ["outcome"] = "cancelled" } };

    /// <summary>An agent that no longer reads has ended or will be killed, and the turn with it.</summary>
    private static async Task TrySendAsync(Func<Task> send)
    {
        try
        {
            await send();
        }
        catch (AcpCallException)
        {
            // See the summary.
        }
    }

    /// <summary>A question of the agent with its options; only those for one time are ever chosen.</summary>
    private sealed record OpenQuestion(JsonElement RequestId, IReadOnlyList<JsonElement> Options)
    {
        public JsonObject Outcome(bool allow)
        {
            var kind = allow ? "allow_once" : "reject_once";
            var option = Options.Where(option => option.Text("kind") == kind).Select(option => option.Text("optionId")).FirstOrDefault();
            return option is null ? Cancelled() : new JsonObject { ["outcome"] = new JsonObject { ["outcome"] = "selected", ["optionId"] = option } };
        }
    }
}
