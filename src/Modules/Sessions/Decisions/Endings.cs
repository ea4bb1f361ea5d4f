using Coordinator.Modules.Sessions.Events;
using Coordinator.Modules.Sessions.Facts;
using Coordinator.Modules.Sessions.State;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>How messages and boxes end: each way shows its event and records its fact, exactly once.</summary>
internal static class Endings
{
    public static void Completed(Turn turn, Message message) => End(turn, message, MessageStatus.Completed, null, null, "message.completed", null);

    public static void Failed(Turn turn, Message message, string code, string detail, bool retryable) =>
        End(turn, message, MessageStatus.Failed, code, detail, "message.failed", json =>
        {
            json.WriteString("code", code);
            json.WriteString("detail", detail);
            json.WriteBoolean("retryable", retryable);
        });

    public static void Cancelled(Turn turn, Message message, CancelReason reason) =>
        End(turn, message, MessageStatus.Cancelled, null, null, "message.cancelled", json => json.WriteString("reason", JsonShapes.Camel(reason)));

    /// <summary>The box was lost or taken while the message was in it: cancelled if that was asked for, otherwise interrupted.</summary>
    public static void Interrupted(Turn turn, Message message, string detail)
    {
        if (message.CancellingAt is not null) Cancelled(turn, message, message.CancelReason);
        else Failed(turn, message, "interrupted", detail, retryable: true);
    }

    /// <summary>Begins to end the box; what runs in it is interrupted.</summary>
    public static void StopSandbox(Turn turn, string reason, string? detail, bool keepData)
    {
        if (turn.State.Running is { } running) Interrupted(turn, running, detail ?? $"The box was stopped ({reason}).");
        var box = turn.State.Sandbox.Id;
        turn.Record(new Fact.SandboxStopping(reason, detail, keepData, turn.Now));
        turn.Show("sandbox.stopping", null, json =>
        {
            json.WriteString("sandboxId", box.ToString());
            json.WriteString("reason", reason);
            if (detail is not null) json.WriteString("detail", detail);
        });
    }

    /// <summary>
    /// The box is gone, as its provider says, or is given up. One that never became ready takes down what waits for it:
    /// the next would end the same way, and the one after it.
    /// </summary>
    public static void LoseSandbox(Turn turn, string reason, string? detail)
    {
        var box = turn.State.Sandbox.Id;
        var wasReady = turn.State.Sandbox.Phase is SandboxPhase.Ready || turn.State.Sandbox is { Phase: SandboxPhase.Silent, BeforeSilence: SandboxPhase.Ready };
        turn.Record(new Fact.SandboxLost(reason, detail, KeepData: true, turn.Now));
        turn.Show("sandbox.lost", null, json =>
        {
            json.WriteString("sandboxId", box.ToString());
            json.WriteString("reason", reason);
            if (detail is not null) json.WriteString("detail", detail);
        });
        if (turn.State.Running is { } running) Interrupted(turn, running, $"The box was lost ({reason}) while the message ran in it.");
        if (wasReady) return;
        var why = detail is { Length: > 0 } ? $"{reason}: {detail}" : reason;
        foreach (var message in turn.State.Open) Failed(turn, message, "boot_failed", $"The box ended before its agent was ready ({why}).", retryable: true);
    }

    /// <summary>
    /// The box could not be made ready: it is stopped, and what waited for it is told why. A workspace that an agent has
    /// worked in is kept; the leftovers of a first boot are not.
    /// </summary>
    public static void FailBoot(Turn turn, string code, string detail, bool retryable)
    {
        StopSandbox(turn, SandboxReasons.BootFailed, detail, keepData: turn.State.HasConversation);
        foreach (var message in turn.State.Open) Failed(turn, message, code, detail, retryable);
    }

    /// <summary>
    /// The agent cannot be started anew: its message fails with that reason, in the same record as the box's stop, so that
    /// the next in the queue is not sent to a box that is about to end.
    /// </summary>
    public static void FailAgent(Turn turn, string code, string? detail)
    {
        if (turn.State.Running is { CancellingAt: null } running) Failed(turn, running, code, detail ?? "The agent did not say why.", retryable: true);
        StopSandbox(turn, SandboxReasons.AgentFailed, detail, keepData: true);
    }

    private static void End(Turn turn, Message message, MessageStatus outcome, string? code, string? detail, string type, Action<System.Text.Json.Utf8JsonWriter>? data)
    {
        ExpireQuestions(turn, message);
        var current = turn.State.Open.Find(m => m.Id == message.Id) ?? message;
        var duration = current.DispatchedAt is { } began ? (turn.Now - began).TotalMilliseconds : 0;
        turn.Show(type, message.Id, json =>
        {
            data?.Invoke(json);
            json.WriteUsage("usage", current.Usage);
            json.WriteNumber("durationMs", (long)duration);
        });
        turn.Record(new Fact.MessageEnded(message.Id, outcome, code, detail, turn.State.Seq, turn.State.Digest.Text, turn.Now));
    }

    private static void ExpireQuestions(Turn turn, Message message)
    {
        foreach (var question in turn.State.Permissions.Values)
            if (question.Message == message.Id && question.Decision is null) PermissionDecisions.Expire(turn, question);
    }
}
