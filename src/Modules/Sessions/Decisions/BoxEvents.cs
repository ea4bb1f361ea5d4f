using System.Collections.Frozen;
using System.Text.Json;
using Coordinator.Modules.Sessions.Events;
using Coordinator.Modules.Sessions.Facts;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>
/// What an event of a box becomes. A box may send exactly these kinds; anything else is acknowledged and not shown, so
/// that neither a newer box nor a hostile one can stop the stream.
/// </summary>
internal static class BoxEvents
{
    /// <summary>The largest event that is shown.</summary>
    public const int MaxDataBytes = 64 * 1024;

    /// <summary>Shown as they are, while their message runs.</summary>
    private static readonly FrozenSet<string> OfTheTurn = new[]
    {
        "agent.text", "agent.reasoning", "agent.retrying", "tool.started", "tool.updated", "tool.completed", "tool.failed",
        "plan.updated", "file.changed", "artifact.added",
    }.ToFrozenSet(StringComparer.Ordinal);

    public static void Show(Turn turn, BoxFrame.Event frame)
    {
        if (frame.Data.Length > MaxDataBytes)
        {
            turn.Show("events.lost", frame.Message, json => json.WriteString("reason", "An event of the box was larger than 64 KiB."));
            return;
        }

        frame = UnicodeText.Mend(frame);
        var running = turn.State.Running is { } message && frame.Message == message.Id ? message : null;
        if (OfTheTurn.Contains(frame.Kind))
        {
            if (running is not null) turn.ShowRaw(frame.Kind, running.Id, frame.Data.Span);
            return;
        }

        using var data = JsonDocument.Parse(frame.Data);
        if (frame.Kind.StartsWith("boot.", StringComparison.Ordinal) || frame.Kind is "environment.detected" or "agent.failed")
            OfTheBox(turn, frame, data.RootElement);
        else if (running is not null)
            OfTheMessage(turn, running, frame.Kind, data.RootElement);
        else if (frame.Kind == "permission.confirmed")
            Confirm(turn, data.RootElement);
    }

    /// <summary>The box has the message: by its event, or by a hello that came before the event.</summary>
    public static void Started(Turn turn, Message message)
    {
        turn.Record(new Fact.MessageStarted(message.Id, turn.Now));
        turn.Show("message.started", message.Id);
    }

    private static void OfTheBox(Turn turn, BoxFrame.Event frame, JsonElement data)
    {
        if (!turn.State.Sandbox.IsLive) return;
        switch (frame.Kind)
        {
            case "boot.phase":
                turn.ShowRaw("sandbox.booting", null, frame.Data.Span);
                break;
            case "boot.ready" when turn.State.Sandbox.Phase == SandboxPhase.Connected:
                var agent = data.TryGetProperty("agent", out var a) && a.ValueKind == JsonValueKind.Object ? a : default;
                var resumed = data.TryGetProperty("resumed", out var r) && r.ValueKind == JsonValueKind.True;
                turn.Record(new Fact.SandboxReady(JsonText.NameOf(agent, "name") ?? "agent", JsonText.NameOf(agent, "version") ?? string.Empty, resumed, turn.Now));
                turn.ShowRaw("sandbox.ready", null, frame.Data.Span);
                break;
            case "boot.failed":
                Endings.FailBoot(turn, JsonText.CodeOf(data) ?? "boot_failed", JsonText.DetailOf(data) ?? "The box could not start.", retryable: true);
                break;
            case "agent.failed":
                Endings.FailAgent(turn, JsonText.CodeOf(data) ?? "agent_failed", JsonText.DetailOf(data));
                break;
            case "environment.detected":
                EnvironmentDecisions.Detected(turn, data);
                break;
        }
    }

    private static void OfTheMessage(Turn turn, Message running, string kind, JsonElement data)
    {
        switch (kind)
        {
            case "message.accepted" when running.Status == MessageStatus.Dispatched:
                Started(turn, running);
                break;
            case "message.ended":
                Ended(turn, running, data);
                break;
            case "permission.asked":
                PermissionDecisions.Ask(turn, running, data);
                break;
            case "permission.confirmed":
                Confirm(turn, data);
                break;
        }
    }

    private static void Ended(Turn turn, Message running, JsonElement data)
    {
        switch (JsonText.Of(data, "outcome"))
        {
            case "completed":
                Endings.Completed(turn, running);
                break;
            case "cancelled":
                Endings.Cancelled(turn, running, running.CancellingAt is null ? CancelReason.User : running.CancelReason);
                break;
            default:
                Endings.Failed(turn, running, JsonText.CodeOf(data) ?? "agent_failed", JsonText.DetailOf(data) ?? "The agent did not say why.", retryable: true);
                break;
        }
    }

    private static void Confirm(Turn turn, JsonElement data)
    {
        if (JsonText.Of(data, "permissionId") is { } id && turn.State.Permissions.TryGetValue(id, out var question) && question.Decision is not null)
            turn.Record(new Fact.PermissionSettled(question.Id));
    }
}
