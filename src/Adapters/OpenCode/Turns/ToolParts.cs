using System.Text.Json;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.OpenCode.Turns;

/// <summary>
/// Follows every tool call from its start to its one end. A call is known by its part's id: the model provider's own
/// call ids repeat from turn to turn with some providers.
/// </summary>
internal sealed class ToolParts
{
    /// <summary>How OpenCode marks a command that an abort has killed; it calls such a command completed.</summary>
    private const string AbortMark = "<shell_metadata>\nUser aborted the command\n</shell_metadata>";

    private readonly Dictionary<string, Call> calls = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Message, string CallId), string> idsOfCalls = [];
    private long latest;

    public bool Any => calls.Values.Any(call => call.Started);

    /// <summary>Our id of a call that is still open; null when there is none.</summary>
    public string? OpenCall(string? message, string? callId) =>
        message is not null && callId is not null && idsOfCalls.TryGetValue((message, callId), out var id) && !calls[id].Ended ? id : null;

    public void Apply(JsonElement part, List<AgentUpdate> updates)
    {
        if (part.Text("id") is not { } id || part.Member("state") is not { } state) return;
        if (!calls.TryGetValue(id, out var call)) calls[id] = call = new Call(id);
        if (part.Text("messageID") is { } message && part.Text("callID") is { } callId) idsOfCalls[(message, callId)] = id;
        if (call.Ended) return;
        call.Read(part.Text("tool"), state);
        latest = Math.Max(latest, Math.Max(call.StartedAt, call.EndedAt));
        switch (state.Text("status"))
        {
            case "running":
                call.Start(updates);
                call.Output(state, updates);
                break;
            case "completed":
                call.Start(updates);
                Complete(call, state, updates);
                break;
            case "error":
                call.Start(updates);
                call.Fail(state.Text("error") ?? "The tool failed.", call.EndedAt, updates);
                break;
        }
    }

    /// <summary>Ends every call that has begun and not ended: nothing is left open after a turn.</summary>
    public void CloseOpen(string error, List<AgentUpdate> updates)
    {
        foreach (var call in calls.Values)
        {
            if (call is { Started: true, Ended: false }) call.Fail(error, latest, updates);
        }
    }

    private static void Complete(Call call, JsonElement state, List<AgentUpdate> updates)
    {
        var output = state.Text("output") ?? "";
        if (call.Unavailable is { } reason)
        {
            call.Fail(reason, call.EndedAt, updates);
        }
        else if (output.EndsWith(AbortMark, StringComparison.Ordinal))
        {
            call.Fail("The command was stopped.", call.EndedAt, updates);
        }
        else
        {
            var about = state.Member("metadata");
            call.Complete(output, (int?)about?.Number("exit"), about?.Flag("truncated") ?? false, updates);
        }
    }

    private sealed class Call(string id)
    {
        private string tool = "tool";
        private string? title;
        private string input = "{}";
        private string output = "";

        public bool Started { get; private set; }

        public bool Ended { get; private set; }

        public long StartedAt { get; private set; }

        public long EndedAt { get; private set; }

        /// <summary>Why the tool the model asked for could not run; OpenCode runs a tool called <c>invalid</c> in its place.</summary>
        public string? Unavailable { get; private set; }

        public void Read(string? name, JsonElement state)
        {
            tool = name ?? tool;
            title = state.Text("title") is { Length: > 0 } text ? text : title;
            if (state.Member("input") is { ValueKind: JsonValueKind.Object } arguments)
            {
                input = arguments.GetRawText();
                if (name == "invalid")
                {
                    tool = arguments.Text("tool") ?? tool;
                    Unavailable = arguments.Text("error") ?? "The tool is not available.";
                    title = null;
                }
            }

            StartedAt = state.Member("time")?.Number("start") ?? StartedAt;
            EndedAt = state.Member("time")?.Number("end") ?? EndedAt;
        }

        public void Start(List<AgentUpdate> updates)
        {
            if (Started) return;
            Started = true;
            updates.Add(new AgentUpdate.ToolStarted(id, tool, title, input));
        }

        public void Output(JsonElement state, List<AgentUpdate> updates)
        {
            if (state.Member("metadata")?.Text("output") is not { } text || text == output) return;
            output = text;
            updates.Add(new AgentUpdate.ToolOutput(id, text));
        }

        public void Complete(string result, int? exitCode, bool truncated, List<AgentUpdate> updates)
        {
            Ended = true;
            updates.Add(new AgentUpdate.ToolCompleted(id, tool, title, input, result, exitCode, Duration(EndedAt), truncated));
        }

        public void Fail(string error, long at, List<AgentUpdate> updates)
        {
            Ended = true;
            updates.Add(new AgentUpdate.ToolFailed(id, tool, title, input, error, Duration(at)));
        }

        private TimeSpan Duration(long end) => TimeSpan.FromMilliseconds(Math.Max(0, end - StartedAt));
    }
}
