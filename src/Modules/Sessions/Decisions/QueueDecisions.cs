using System.Text;
using Coordinator.Modules.Sessions.Events;
using Coordinator.Modules.Sessions.Facts;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>The queue: strictly first in, first out, but for what its owner moves.</summary>
internal static class QueueDecisions
{
    public static Result<SessionReply> Prompt(Turn turn, SessionCommand.Prompt c)
    {
        var state = turn.State;
        if (c.Idempotency is { } request && Repeats.Find(turn, request) is { } earlier)
        {
            return earlier.BodyHash == request.BodyHash
                ? new SessionReply.MessageAccepted(earlier.Message, PositionOf(state, earlier.Message), Replayed: true)
                : Refusals.KeyReused;
        }

        if (state.Status == SessionStatus.Archived) return Refusals.Archived;
        if (CheckText(turn, c.Text) is { } bad) return bad;
        if (state.QueuedCount >= turn.Limits.QueuedMessages)
            return new Problem("queue_full", $"{turn.Limits.QueuedMessages} messages are queued; wait for one to end or cancel one.", ProblemKind.TooMany, TimeSpan.FromSeconds(5));
        if (state.Open.Exists(m => m.Id == c.Message) || state.Ended.Exists(m => m.Id == c.Message))
            return new Problem("message_exists", "The session has a message with this id.", ProblemKind.Conflict);

        var position = state.QueuedCount;
        var model = c.Model ?? state.Settings!.Model;
        turn.Record(new Fact.MessageQueued(c.Message, c.By, c.Text, model, c.Idempotency, c.RetryOf, turn.Now));
        turn.Show("message.queued", c.Message, json =>
        {
            json.WriteString("text", c.Text);
            json.WriteNumber("position", position);
            json.WriteString("model", model);
            json.WritePrincipal("by", c.By);
            if (c.Idempotency is not null) json.WriteString("clientId", c.Idempotency.Key);
            if (c.RetryOf is { } retry) json.WriteString("retryOf", retry.ToString());
        });
        return new SessionReply.MessageAccepted(c.Message, position, Replayed: false);
    }

    public static Result<SessionReply> Edit(Turn turn, SessionCommand.EditMessage c)
    {
        if (FindQueued(turn.State, c.Message) is { IsSuccess: false } refused) return refused.Problem;
        if (CheckText(turn, c.Text) is { } bad) return bad;
        turn.Record(new Fact.MessageEdited(c.Message, c.Text));
        turn.Show("message.edited", c.Message, json => json.WriteString("text", c.Text));
        return new SessionReply.Done();
    }

    public static Result<SessionReply> Move(Turn turn, SessionCommand.MoveMessage c)
    {
        if (FindQueued(turn.State, c.Message) is { IsSuccess: false } refused) return refused.Problem;
        if (c.Before is { } before && (before == c.Message || FindQueued(turn.State, before) is { IsSuccess: false }))
            return new Problem("before_not_queued", "The message to put it before is not waiting in this session's queue.", ProblemKind.Conflict);
        turn.Record(new Fact.MessageMoved(c.Message, c.Before));
        turn.Show("message.moved", c.Message, json =>
        {
            json.WriteString("before", c.Before?.ToString());
            json.WriteNumber("position", PositionOf(turn.State, c.Message));
        });
        return new SessionReply.Done();
    }

    private static Result<Message> FindQueued(SessionState state, MessageId id)
    {
        if (state.Ended.Exists(m => m.Id == id)) return Refusals.NotQueued;
        if (state.Open.Find(m => m.Id == id) is not { } message) return Refusals.NoMessage;
        return message.Status == MessageStatus.Queued ? message : Refusals.NotQueued;
    }

    private static Problem? CheckText(Turn turn, string text)
    {
        if (string.IsNullOrWhiteSpace(text)) return new("prompt_empty", "The prompt is empty; say what should be done.");
        var bytes = Encoding.UTF8.GetByteCount(text);
        return bytes <= turn.Limits.PromptBytes
            ? null
            : new("prompt_too_large", $"The prompt has {bytes} bytes; at most {turn.Limits.PromptBytes} are taken. Put long material into a file of the repository.", ProblemKind.TooLarge);
    }

    private static int PositionOf(SessionState state, MessageId id)
    {
        var index = state.Open.FindIndex(m => m.Id == id);
        return Math.Max(0, state.Running is null ? index : index - 1);
    }
}
