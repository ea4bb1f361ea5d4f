using System.Text;
using System.Text.Json;
using Coordinator.Client;
using Spectre.Console;

namespace Coordinator.Cli;

/// <summary>Shows a session's events to a person: text as it streams, tools with their output, everything else in a line.</summary>
internal sealed class EventPrinter(IAnsiConsole console)
{
    public EventPrinter()
        : this(Terminal.Out)
    {
    }

    /// <summary>What of each part of the answer stands there.</summary>
    private readonly Dictionary<string, StringBuilder> printed = new(StringComparer.Ordinal);

    private bool midLine;

    public void Print(SessionEvent e)
    {
        switch (e.Type)
        {
            case "agent.text":
                PrintText(e);
                break;
            case "agent.retrying":
                Note("yellow", $"(the model is asked again{(Number(e, "attempt") is { } attempt ? $", attempt {attempt}" : string.Empty)}{Because(e)})");
                break;
            case "tool.started":
                Note("cyan", $"▶ {e.Text("tool")} {e.Text("title")}");
                break;
            case "tool.completed":
                if (e.Text("output") is { Length: > 0 } output) Line(output.TrimEnd());
                Note("green", $"✓ {e.Text("tool")}");
                break;
            case "tool.failed":
                Note("red", $"✗ {e.Text("tool")}: {e.Text("error")}");
                break;
            case "sandbox.booting" when e.Text("status") is "completed" or "failed":
                Note("grey", $"box: {e.Text("phase")} {e.Text("status")} {Elapsed(e)}");
                break;
            case "sandbox.booting" when e.Text("code") is { } code:
                Note("yellow", $"box: waits ({code}): {e.Text("detail")}");
                break;
            case "sandbox.ready":
                Note("grey", $"box: ready {Elapsed(e)}");
                break;
            case "sandbox.lost" or "sandbox.stopped":
                Note("yellow", $"box: {e.Type[8..]} ({e.Text("reason")})");
                break;
            case "events.lost":
                Note("yellow", $"(a part of what happened here is lost{Because(e)})");
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
    internal string NewOf(SessionEvent e) => Take(e).Text;

    private void PrintText(SessionEvent e)
    {
        var (begins, text) = Take(e);
        if (begins) Note("yellow", "(the answer begins anew)");
        if (text.Length == 0) return;
        console.Profile.Out.Writer.Write(text);
        midLine = true;
    }

    /// <summary>A piece overwrites from its offset. What it says as it stands there is left; where it says something else, or nothing any more, the part begins anew, as it is by then.</summary>
    private (bool BeginsAnew, string Text) Take(SessionEvent e)
    {
        var (text, part) = (e.Text("text") ?? string.Empty, $"{e.MessageId} {e.Text("part")}");
        if (!printed.TryGetValue(part, out var shown)) printed[part] = shown = new();
        var offset = Number(e, "offset") is >= 0 and var units ? (int)Math.Min(units, shown.Length) : shown.Length;
        var covered = Math.Min(shown.Length - offset, text.Length);
        if ((text.Length == 0 && offset < shown.Length) || shown.ToString(offset, covered) != text[..covered])
        {
            shown.Length = offset;
            return (true, shown.Append(text).ToString());
        }

        shown.Append(text, covered, text.Length - covered);
        return (false, text[covered..]);
    }

    private static string Because(SessionEvent e) => e.Text("reason") is { Length: > 0 } reason ? $": {reason}" : string.Empty;

    private static string Elapsed(SessionEvent e) => Number(e, "elapsedMs") is { } ms ? $"{ms} ms" : string.Empty;

    /// <summary>What a box says is shown as it came, so it may be anything.</summary>
    private static long? Number(SessionEvent e, string name) =>
        e.Data.ValueKind == JsonValueKind.Object && e.Data.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;

    private void Note(string color, string text)
    {
        if (midLine) Line(string.Empty);
        midLine = false;
        console.MarkupLineInterpolated($"[{color}]{text}[/]");
    }

    private void Line(string text) => console.Profile.Out.Writer.WriteLine(text);
}
