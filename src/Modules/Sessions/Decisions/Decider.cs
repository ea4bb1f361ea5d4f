using Coordinator.Modules.Sessions.Events;
using Coordinator.Modules.Sessions.Facts;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>
/// <c>Decide(state, command, now) -> record | refusal</c>: what a command does to a session. Pure; sees the speculative
/// state; refuses before it records anything.
/// </summary>
public static class Decider
{
    public static Result<SessionReply> Decide(Turn turn, SessionCommand command, IBoxTokenScheme tokens)
    {
        if (command is SessionCommand.Create create) return Create(turn, create);
        if (turn.State.Status == SessionStatus.None) return Refusals.NoSession;
        return command switch
        {
            SessionCommand.Prompt c => QueueDecisions.Prompt(turn, c),
            SessionCommand.EditMessage c => QueueDecisions.Edit(turn, c),
            SessionCommand.MoveMessage c => QueueDecisions.Move(turn, c),
            SessionCommand.Cancel c => CancelDecisions.Cancel(turn, c),
            SessionCommand.AnswerPermission c => PermissionDecisions.Answer(turn, c),
            SessionCommand.Rename c => Rename(turn, c),
            SessionCommand.Archive c => Archive(turn, c),
            SessionCommand.AuthorizeBox c => BoxDecisions.Authorize(turn, c.Credential, tokens),
            SessionCommand.RecordUsage c => BoxDecisions.RecordUsage(turn, c, tokens),
            SessionCommand.GetView => new SessionReply.View(SessionViewWriter.Write(turn.State)),
            _ => throw new InvalidOperationException($"No decision for {command.GetType().Name}."),
        };
    }

    private static Result<SessionReply> Create(Turn turn, SessionCommand.Create c)
    {
        var state = turn.State;
        if (state.Status != SessionStatus.None)
        {
            return state.Settings == c.Settings && state.CreatedBy == c.By
                ? new SessionReply.View(SessionViewWriter.Write(state))
                : new Problem("session_exists", "A session with this id was created with other parameters; use a new Idempotency-Key.", ProblemKind.Conflict);
        }

        turn.Record(new Fact.SessionCreated(c.By, c.Settings, c.Title, turn.Now, c.KnownEnvironment));
        turn.Show("session.created", null, json =>
        {
            json.WriteString("title", c.Title);
            json.WriteString("model", c.Settings.Model);
            json.WriteString("agent", c.Settings.Agent);
            json.WriteString("permissions", JsonShapes.Camel(c.Settings.Permissions));
            json.WriteRepository(c.Settings.Repository);
            json.WritePrincipal("createdBy", c.By);
        });
        return new SessionReply.View(SessionViewWriter.Write(turn.State));
    }

    private static Result<SessionReply> Rename(Turn turn, SessionCommand.Rename c)
    {
        var title = c.Title.Trim();
        if (title.Length is 0 or > 200) return new Problem("title_invalid", "A title has 1 to 200 characters.");
        if (title != turn.State.Title)
        {
            turn.Record(new Fact.SessionRenamed(title));
            turn.Show("session.renamed", null, json => json.WriteString("title", title));
        }

        return new SessionReply.View(SessionViewWriter.Write(turn.State));
    }

    private static Result<SessionReply> Archive(Turn turn, SessionCommand.Archive c)
    {
        if (turn.State.Status != SessionStatus.Archived)
        {
            foreach (var message in turn.State.Open) Endings.Cancelled(turn, message, CancelReason.Archived);
            turn.Record(new Fact.SessionArchived(turn.Now));
            turn.Show("session.archived", null, json => json.WritePrincipal("by", c.By));
            if (turn.State.Sandbox.IsLive) Endings.StopSandbox(turn, SandboxReasons.Archived, null, keepData: false);
        }

        return new SessionReply.View(SessionViewWriter.Write(turn.State));
    }
}
