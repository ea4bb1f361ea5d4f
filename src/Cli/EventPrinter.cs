using System.Text.Json;
using Coordinator.Client;
using Spectre.Console;

namespace Coordinator.Cli;

/// <summary>Shows a session's events to a person: text as it streams, tools with their output, everything else in a line.</summary>
internal sealed class EventPrinter
{
    /// <summary>How much of each part of the answer stands there, in UTF-16 units.</summary>
    private readonly Dictionary<string, int> printed = new(StringComparer.Ordinal);

    private bool midLine;

    public void Print(SessionEvent e)
    {
        switch (e.Type)
        {
            case "agent.text":
                Terminal.Write(NewOf(e));
                midLine = true;
                break;
            case "tool.started":
                Note("cyan", $"▶ {e.Text("tool")} {e.Text("title")}");
                break;
            case "tool.completed":
                if (e.Text("output") is { Length: > 0 } output) Terminal.Line(output.TrimEnd());
                Note("green", $"✓ {e.Text("tool")}");
                break;
            case "tool.failed":
                Note("red", $"✗ {e.Text("tool")}: {e.Text("error")}");
                break;
            case "sandbox.booting" when e.Text("status") is "completed" or "failed":
                Note("grey", $"box: {e.Text("phase")} {e.Text("status")} {Elapsed(e)}");
                break;
            case "sandbox.ready":
                Note("grey", $"box: ready {Elapsed(e)}");
                break;
            case "sandbox.lost" or "sandbox.stopped":
                Note("yellow", $"box: {e.Type[8..]} ({e.Text("reason")})");
                break;
            case "permission.asked":
                Note("yellow", $"? {e.Text("permission")} {e.Text("title")}: answer it in the browser");
                break;
            case "message.failed":
                Note("red", $"✗ failed ({e.Text("code")}): {e.Text("detail")}");
                break;
            case "message.completed" or "message.cancelled":
                Note("grey", e.Type[8..]);
                break;
        }

        if (e.Type == "message.started") printed.Clear();
    }

    /// <summary>What of a piece of text was not printed yet: after a connection was lost one may come that covers some that were.</summary>
    internal string NewOf(SessionEvent e)
    {
        var (text, part) = (e.Text("text") ?? string.Empty, $"{e.MessageId} {e.Text("part")}");
        var shown = printed.GetValueOrDefault(part);
        var offset = Number(e, "offset") is >= 0 and var units ? (int)Math.Min(units, shown) : shown;
        printed[part] = Math.Max(shown, offset + text.Length);
        return text[Math.Min(shown - offset, text.Length)..];
    }

    private static string Elapsed(SessionEvent e) => Number(e, "elapsedMs") is { } ms ? $"{ms} ms" : string.Empty;

    /// <summary>What a box says is shown as it came, so it may be anything.</summary>
    private static long? Number(SessionEvent e, string name) =>
        e.Data.ValueKind == JsonValueKind.Object && e.Data.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;

    private void Note(string color, string text)
    {
        if (midLine) Terminal.Line(string.Empty);
        midLine = false;
        Terminal.Out.MarkupLineInterpolated($"[{color}]{text}[/]");
    }
}
