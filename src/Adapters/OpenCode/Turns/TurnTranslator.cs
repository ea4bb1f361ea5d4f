using System.Text.Json;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.OpenCode.Turns;

/// <summary>What the runtime has to do about an event, beyond passing its updates on.</summary>
internal enum TurnSignal
{
    None,

    /// <summary>The session works.</summary>
    Busy,

    /// <summary>The session may have come to rest: look at its state and its store.</summary>
    Rest,

    /// <summary>The agent asks something that nobody here can answer; see <see cref="TurnTranslator.Question"/>.</summary>
    Question,
}

/// <summary>
/// Turns OpenCode's events of one turn into updates. Pure and synchronous, no clock: so that recorded transcripts test
/// it. It knows its turn by the id of the prompt's message, which ascends: messages of earlier turns, whose events may
/// come late, have lower ids. Sub-agents run in sessions of their own; their tools and questions are shown, their text
/// is not, since the tool that started them answers with it.
/// </summary>
internal sealed class TurnTranslator(string session, string prompt, string workspace)
{
    private const int RememberedEvents = 4096;

    private readonly Dictionary<string, AnswerMessage> answers = new(StringComparer.Ordinal);
    private readonly HashSet<string> children = new(StringComparer.Ordinal);
    private readonly HashSet<string> asked = new(StringComparer.Ordinal);
    private readonly RecentIds seen = new(RememberedEvents);
    private readonly TextParts texts = new();
    private readonly ToolParts tools = new();
    private readonly FileChanges files = new(workspace);
    private readonly TurnUsage usage = new();
    private JsonElement? sessionError;
    private int retryShown;

    /// <summary>Whether the agent has begun with the prompt, or has already failed.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Whether the last message has its end. Right after an abort or a failure the store may not have it yet.</summary>
    public bool IsSettled => Last is { } last ? last.Completed : sessionError is not null;

    /// <summary>The id of the question that the last <see cref="TurnSignal.Question"/> was about.</summary>
    public string Question { get; private set; } = "";

    private AnswerMessage? Last => answers.Values.Where(answer => answer.IsOwn).MaxBy(answer => answer.Id, StringComparer.Ordinal);

    /// <summary>Takes one event. One that came before, or is of no concern or unknown, does nothing.</summary>
    public TurnSignal Translate(JsonElement data, List<AgentUpdate> updates)
    {
        if (data.Text("id") is { } id && !seen.Add(id)) return TurnSignal.None;
        var properties = data.Member("properties") ?? default;
        switch (data.Text("type"))
        {
            case "session.created" or "session.updated":
                Adopt(properties.Member("info") ?? default);
                return TurnSignal.None;
            case "session.status" when IsOwn(properties):
                return Status(properties.Member("status") ?? default, updates);
            case "session.idle" when IsOwn(properties):
                return TurnSignal.Rest;
            case "session.error" when IsOwn(properties) || properties.Member("sessionID") is null:
                return Failed(properties);
            case "message.updated":
                Message(properties.Member("info") ?? default);
                return TurnSignal.None;
            case "message.part.updated" when properties.Member("part") is { } part:
                Part(part, final: part.Member("time")?.Number("end") is not null, updates);
                return TurnSignal.None;
            case "message.part.delta" when IsShown(properties.Text("messageID")) && properties.Text("field") == "text":
                texts.Append(properties.Text("partID") ?? "", properties.Text("delta"), updates);
                return TurnSignal.None;
            case "message.part.removed" when properties.Text("partID") is { } removed:
                texts.Remove(removed, updates);
                return TurnSignal.None;
            case "permission.asked":
                Permission(properties, updates);
                return TurnSignal.None;
            case "question.asked" when IsKnown(properties.Text("sessionID")) && properties.Text("id") is { } question:
                Question = question;
                return TurnSignal.Question;
            case "todo.updated" when IsOwn(properties):
                updates.Add(new AgentUpdate.Plan(properties.Items("todos").Select(Entry).ToList()));
                return TurnSignal.None;
            case "file.edited":
                files.Edited(properties.Text("file"), updates);
                return TurnSignal.None;
            case "file.watcher.updated":
                files.Watched(properties.Text("file"), properties.Text("event"), updates);
                return TurnSignal.None;
            default:
                return TurnSignal.None;
        }
    }

    /// <summary>Events may have been missed.</summary>
    public void Interrupted() => texts.Pause();

    /// <summary>
    /// Takes the messages the store has after the prompt, and emits what the stream left out.
    /// <paramref name="atRest"/> says that the turn is over, so that the store has all of it.
    /// </summary>
    public void Reconcile(IReadOnlyList<JsonElement> stored, bool atRest, List<AgentUpdate> updates)
    {
        var parts = new HashSet<string>(StringComparer.Ordinal);
        foreach (var message in stored)
        {
            Message(message.Member("info") ?? default);
            foreach (var part in message.Items("parts"))
            {
                if (part.Text("id") is { } id) parts.Add(id);
                Part(part, atRest || part.Member("time")?.Number("end") is not null, updates);
            }
        }

        if (atRest && stored.Count > 0) texts.KeepOnly(parts, updates);
    }

    /// <summary>Takes a question from the list of open ones, which holds those of aborted turns for ever.</summary>
    public void Reconsider(JsonElement permission, List<AgentUpdate> updates)
    {
        var tool = permission.Member("tool") ?? default;
        if (tools.OpenCall(tool.Text("messageID"), tool.Text("callID")) is not null) Permission(permission, updates);
    }

    /// <summary>The end of the turn at rest, after <see cref="Reconcile"/>.</summary>
    public AgentUpdate.TurnEnded End(bool cancelled, List<AgentUpdate> updates)
    {
        var last = Last;
        var error = last is null ? sessionError : last.Error;
        if (cancelled || (error is { } e && TurnFailure.IsAbort(e))) return Close(TurnOutcome.Cancelled, null, updates);
        if (error is { } failure) return Close(TurnOutcome.Failed, TurnFailure.Of(failure), updates);
        if (!texts.AnyText && !tools.Any)
        {
            return Close(TurnOutcome.Failed, new TurnFailure("empty_output", "The agent ended its turn without an answer and without using a tool. Try again, or choose another model."), updates);
        }

        return Close(TurnOutcome.Completed, null, updates);
    }

    /// <summary>The end of a turn whose agent is gone.</summary>
    public AgentUpdate.TurnEnded Abandon(bool cancelled, TurnFailure failure, List<AgentUpdate> updates) =>
        Close(cancelled ? TurnOutcome.Cancelled : TurnOutcome.Failed, cancelled ? null : failure, updates);

    private AgentUpdate.TurnEnded Close(TurnOutcome outcome, TurnFailure? failure, List<AgentUpdate> updates)
    {
        tools.CloseOpen(outcome == TurnOutcome.Cancelled ? "The tool was stopped." : "The tool did not finish.", updates);
        files.Flush(updates);
        return new AgentUpdate.TurnEnded(outcome, failure?.Code, failure?.Detail, usage.Total);
    }

    private TurnSignal Status(JsonElement status, List<AgentUpdate> updates)
    {
        switch (status.Text("type"))
        {
            case "busy":
                HasBegun = true;
                return TurnSignal.Busy;
            case "idle":
                return TurnSignal.Rest;
            case "retry":
                Retry(status, updates);
                return TurnSignal.Busy;
            default:
                return TurnSignal.None;
        }
    }

    private void Retry(JsonElement status, List<AgentUpdate> updates)
    {
        HasBegun = true;
        var attempt = (int)(status.Number("attempt") ?? 0);
        if (attempt == retryShown) return;
        retryShown = attempt;
        DateTimeOffset? next = status.Number("next") is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;
        updates.Add(new AgentUpdate.Retrying(attempt, status.Text("message") ?? "The model provider did not answer.", next));
    }

    private TurnSignal Failed(JsonElement properties)
    {
        HasBegun = true;
        sessionError = properties.Member("error") ?? sessionError;
        return TurnSignal.Rest;
    }

    private void Adopt(JsonElement info)
    {
        if (info.Text("id") is { } id && IsKnown(info.Text("parentID"))) children.Add(id);
    }

    private void Message(JsonElement info)
    {
        if (info.Text("role") != "assistant" || info.Text("id") is not { } id || !IsKnown(info.Text("sessionID"))) return;
        var own = info.Text("sessionID") == session;
        if (own && string.CompareOrdinal(id, prompt) <= 0) return;
        if (own)
        {
            HasBegun = true;
            if (!answers.ContainsKey(id)) sessionError = null; // the agent went on after it
        }

        usage.Apply(id, info);
        answers[id] = new AnswerMessage(id, own, info.Flag("summary"), info.Member("time")?.Number("completed") is not null, info.Member("error"));
    }

    private void Part(JsonElement part, bool final, List<AgentUpdate> updates)
    {
        var message = part.Text("messageID");
        switch (part.Text("type"))
        {
            case "text" or "reasoning" when IsShown(message) && part.Text("id") is { } id && part.Text("text") is { } text && !part.Flag("synthetic") && !part.Flag("ignored"):
                texts.Replace(id, part.Text("type") == "reasoning", text, final, updates);
                break;
            case "tool" when message is not null && answers.ContainsKey(message):
                tools.Apply(part, updates);
                FilesOf(part.Member("state") ?? default, updates);
                break;
        }
    }

    private void FilesOf(JsonElement state, List<AgentUpdate> updates)
    {
        if (state.Text("status") is not ("completed" or "error")) return;
        var metadata = state.Member("metadata") ?? default;
        if (metadata.Member("exists") is { ValueKind: JsonValueKind.False }) files.Created(metadata.Text("filepath"), updates);
        files.Flush(updates);
    }

    private void Permission(JsonElement permission, List<AgentUpdate> updates)
    {
        if (permission.Text("id") is not { } id || !IsKnown(permission.Text("sessionID")) || !asked.Add(id)) return;
        var tool = permission.Member("tool") ?? default;
        updates.Add(new AgentUpdate.PermissionAsked(
            id,
            tools.OpenCall(tool.Text("messageID"), tool.Text("callID")),
            permission.Text("permission") ?? "unknown",
            permission.Items("patterns").Where(pattern => pattern.ValueKind == JsonValueKind.String).Select(pattern => pattern.ToString()).ToList(),
            Title: null,
            permission.Member("metadata") is { ValueKind: JsonValueKind.Object } metadata ? metadata.GetRawText() : null));
    }

    private static PlanEntry Entry(JsonElement todo) => new(todo.Text("content") ?? "", todo.Text("status") ?? "pending", todo.Text("priority"));

    private bool IsOwn(JsonElement properties) => properties.Text("sessionID") == session;

    private bool IsKnown(string? id) => id is not null && (id == session || children.Contains(id));

    private bool IsShown(string? message) => message is not null && answers.TryGetValue(message, out var answer) && answer is { IsOwn: true, IsSummary: false };

    /// <summary>A message of the agent. A summary is what it writes to itself when it compacts the conversation.</summary>
    private sealed record AnswerMessage(string Id, bool IsOwn, bool IsSummary, bool Completed, JsonElement? Error);
}
