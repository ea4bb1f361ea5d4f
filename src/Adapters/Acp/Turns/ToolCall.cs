using System.Text;
using System.Text.Json;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.Acp.Turns;

/// <summary>
/// One tool call, put together from updates that each say only what has changed. Agents differ in where they put a
/// tool's name, its input and its output; every place seen in the field is looked at.
/// </summary>
internal sealed class ToolCall(string id, TimeProvider time)
{
    /// <summary>How OpenCode marks a command that a cancel has killed; it calls such a command completed.</summary>
    private const string AbortMark = "<shell_metadata>\nUser aborted the command\n</shell_metadata>";

    private readonly StringBuilder terminal = new();
    private readonly List<(string Path, bool IsNew)> diffs = [];
    private readonly List<string> locations = [];
    private string? name;
    private string? title;
    private string kind = "other";
    private string input = "{}";
    private string output = "";
    private string? shown;
    private int? exitCode;
    private bool truncated;
    private long startedAt = time.GetTimestamp();

    public string Id => id;

    public bool Started { get; private set; }

    public bool Ended { get; private set; }

    private string Tool => name ?? kind;

    /// <summary>The tool's title where it says more than its name.</summary>
    private string? Title => title == name ? null : title;

    /// <summary>Takes a <c>tool_call</c>, a <c>tool_call_update</c> or the call in a question of permission.</summary>
    public void Apply(JsonElement update, List<AgentUpdate> updates, bool cancelled)
    {
        if (Ended) return;
        var isFirst = update.Text("sessionUpdate") == "tool_call";
        var status = update.Text("status");
        Read(update, isOutput: status is "completed" or "failed" || (!isFirst && status == "in_progress"));
        if (status is "in_progress" or "completed" or "failed" || (!isFirst && update.Member("rawInput") is not null)) Start(updates);
        if (status == "completed") Complete(update, updates, cancelled);
        else if (status == "failed") Fail(ErrorOf(update), updates);
        else if (Started && output.Length > 0 && output != shown) Show(updates);
    }

    public void Start(List<AgentUpdate> updates)
    {
        if (Started) return;
        Started = true;
        startedAt = time.GetTimestamp();
        updates.Add(new AgentUpdate.ToolStarted(id, Tool, Title, input));
    }

    public void Fail(string error, List<AgentUpdate> updates)
    {
        Ended = true;
        updates.Add(new AgentUpdate.ToolFailed(id, Tool, Title, input, error, time.GetElapsedTime(startedAt)));
    }

    /// <summary>The files this call has changed, once it is completed; absolute or as the agent has them.</summary>
    public IEnumerable<(string Path, FileChange Change)> ChangedFiles() => kind switch
    {
        "delete" => locations.Select(path => (path, FileChange.Deleted)),
        "edit" or "move" when diffs.Count > 0 => diffs.Select(diff => (diff.Path, diff.IsNew ? FileChange.Created : FileChange.Modified)),
        "edit" or "move" => locations.Select(path => (path, FileChange.Modified)),
        _ => [],
    };

    private void Read(JsonElement update, bool isOutput)
    {
        kind = update.Text("kind") ?? kind;
        title = update.Text("title") is { Length: > 0 } text ? text : title;
        name ??= update.Text("name") ?? update.Member("_meta")?.Member("claudeCode")?.Text("toolName") ?? (update.Text("title") is { } first && !first.Contains(' ', StringComparison.Ordinal) ? first : null);
        if (update.Member("rawInput") is { ValueKind: JsonValueKind.Object } arguments) input = arguments.GetRawText();
        if (update.Member("locations") is { ValueKind: JsonValueKind.Array })
        {
            locations.Clear();
            locations.AddRange(update.Items("locations").Select(location => location.Text("path")).OfType<string>());
        }

        foreach (var item in update.Items("content"))
        {
            if (item.Text("type") == "diff" && item.Text("path") is { } path && !diffs.Exists(diff => diff.Path == path)) diffs.Add((path, item.Text("oldText") is null));
        }

        if (isOutput) ReadOutput(update);
    }

    private void ReadOutput(JsonElement update)
    {
        terminal.Append(update.Member("_meta")?.Member("terminal_output_delta")?.Text("data"));
        exitCode = (int?)(update.Member("_meta")?.Member("terminal_exit")?.Number("exit_code") ?? update.Member("rawOutput")?.Member("metadata")?.Number("exit")) ?? exitCode;
        truncated |= update.Member("rawOutput")?.Member("metadata")?.Flag("truncated") ?? false;
        var said = string.Concat(update.Items("content").Where(item => item.Text("type") == "content").Select(item => item.Member("content")?.Text("text")));
        output = update.Text("rawOutput")
            ?? update.Member("rawOutput")?.Text("output")
            ?? (terminal.Length > 0 ? terminal.ToString() : said.Length > 0 ? said : output);
    }

    private void Complete(JsonElement update, List<AgentUpdate> updates, bool cancelled)
    {
        if (output.EndsWith(AbortMark, StringComparison.Ordinal) || (cancelled && exitCode is null))
        {
            Fail("The tool was stopped.", updates);
            return;
        }

        var made = update.Member("rawOutput")?.Member("metadata");
        if (made?.Member("exists") is { ValueKind: JsonValueKind.False } && made.Value.Text("filepath") is { } file)
        {
            diffs.Clear();
            diffs.Add((file, true));
        }

        Ended = true;
        updates.Add(new AgentUpdate.ToolCompleted(id, Tool, Title, input, output, exitCode, time.GetElapsedTime(startedAt), truncated));
    }

    private void Show(List<AgentUpdate> updates)
    {
        shown = output;
        updates.Add(new AgentUpdate.ToolOutput(id, output));
    }

    private string ErrorOf(JsonElement update) =>
        update.Member("rawOutput")?.Text("error") ?? (output.Length > 0 ? output : "The tool failed.");
}
