using Coordinator.Modules.Sessions.Events;
using Coordinator.Modules.Sessions.Facts;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>Stopping: a queued message ends at once, a running one when its box says so or the deadline takes the box.</summary>
internal static class CancelDecisions
{
    public static Result<SessionReply> Cancel(Turn turn, SessionCommand.Cancel c)
    {
        var state = turn.State;
        if (c.Idempotency is { } request && Repeats.Find(turn, request) is { } earlier)
            return earlier.BodyHash == request.BodyHash ? new SessionReply.Done() : Refusals.KeyReused;

        Message? message;
        if (c.Message is { } id)
        {
            if (state.Ended.Exists(m => m.Id == id)) return new SessionReply.Done();
            message = state.Open.Find(m => m.Id == id);
            if (message is null) return Refusals.NoMessage;
        }
        else
        {
            message = state.Running;
            if (message is null) return new Problem("nothing_running", "No message is running in this session.", ProblemKind.Conflict);
        }

        if (message.Status == MessageStatus.Queued) Endings.Cancelled(turn, message, CancelReason.User);
        else if (message.CancellingAt is null) Ask(turn, message, CancelReason.User, c.By, c.Idempotency);
        else if (c.Idempotency is { } too) turn.Record(new Fact.MessageCancelling(message.Id, message.CancelReason, turn.Now, too)); // its repeat may come when another message runs
        return new SessionReply.Done();
    }

    /// <summary>Asks the box to stop the running message; the frame follows from the committed state.</summary>
    public static void Ask(Turn turn, Message message, CancelReason reason, Principal? by, RequestIdentity? request = null)
    {
        turn.Record(new Fact.MessageCancelling(message.Id, reason, turn.Now, request));
        turn.Show("message.cancelling", message.Id, json =>
        {
            json.WriteString("reason", JsonShapes.Camel(reason));
            if (by is not null) json.WritePrincipal("by", by);
        });
    }
}
