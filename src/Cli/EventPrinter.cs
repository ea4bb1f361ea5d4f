using Coordinator.Client;
using Spectre.Console;

namespace Coordinator.Cli;

/// <summary>Shows a session's events to a person: text as it streams, tools with their output, everything else in a line.</summary>
internal sealed class EventPrinter
{
    private bool midLine;

    public void Print(SessionEvent e)
    {
        switch (e.Type)
        {
            case "agent.text":
                Terminal.Write(e.Text("text") ?? string.Empty);
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
    }

    private static string Elapsed(SessionEvent e) => e.Data.TryGetProperty("elapsedMs", out var ms) ? $"{ms.GetInt64()} ms" : string.Empty;

    private void Note(string color, string text)
    {
        if (midLine) Terminal.Line(string.Empty);
        midLine = false;
        Terminal.Out.MarkupLineInterpolated($"[{color}]{text}[/]");
    }
}
