using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Coordinator.Modules.Sessions.Events;
using Coordinator.Modules.Sessions.Facts;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>Questions of the agent: answered once, by a person, by a grant of the session, or by their deadline.</summary>
internal static class PermissionDecisions
{
    /// <summary>An agent asks one question at a time; a box that asks more than this at once is answered no.</summary>
    private const int MaxQuestions = 32;

    /// <summary>The same for what the open questions show, in characters together.</summary>
    private const int MaxShown = 1024 * 1024;

    /// <summary>A box confirms every answer; one that asks on with so many before it takes none, and its turn would never end well.</summary>
    private const int MaxUnconfirmed = 256;

    public static Result<SessionReply> Answer(Turn turn, SessionCommand.AnswerPermission c)
    {
        if (c.Idempotency is { } request && Repeats.Find(turn, request) is { } earlier)
            return earlier.BodyHash == request.BodyHash ? new SessionReply.Done() : Refusals.KeyReused;
        if (!turn.State.Permissions.TryGetValue(c.Permission.ToString(), out var question))
            return new Problem("permission_not_found", "There is no such open question; it may have been answered or have expired.", ProblemKind.NotFound);
        if (question.Decision is not null)
            return new Problem("permission_already_answered", "Somebody has answered this question already.", ProblemKind.Conflict);
        turn.Record(new Fact.PermissionDecided(c.Permission, c.Decision, c.Note, turn.Now, c.Idempotency));
        turn.Show("permission.answered", question.Message, json =>
        {
            json.WriteString("permissionId", c.Permission.ToString());
            json.WriteString("decision", JsonShapes.Camel(c.Decision));
            json.WritePrincipal("by", c.By);
            if (c.Note is not null) json.WriteString("note", c.Note);
        });
        return new SessionReply.Done();
    }

    /// <summary>A question arrived from the box.</summary>
    public static void Ask(Turn turn, Message message, JsonElement data)
    {
        if (!PermissionId.TryParse(JsonText.Of(data, "permissionId"), out var id) || turn.State.Permissions.ContainsKey(id.ToString())) return;
        if (turn.State.Permissions.Count >= MaxUnconfirmed)
        {
            Endings.FailAgent(turn, "too_many_questions", $"The agent asked on while {MaxUnconfirmed} of its questions waited, and its box took no answer to them.");
            return;
        }

        var permission = JsonText.Of(data, "permission") ?? "unknown";
        var patterns = Patterns(data);
        var expires = turn.Now + turn.Limits.PermissionAnswer;
        var shown = EventData.Write(json =>
        {
            json.WriteString("permissionId", id.ToString());
            foreach (var property in data.EnumerateObject())
            {
                if (property.Name is not ("callId" or "permission" or "patterns" or "title" or "detail")) continue;
                json.WritePropertyName(property.Name);
                json.WriteRawValue(property.Value.GetRawText());
            }

            json.WriteString("expiresAt", expires);
        });
        var text = Encoding.UTF8.GetString(shown);
        var isOneTooMany = turn.State.Permissions.Count >= MaxQuestions || turn.State.Permissions.Values.Sum(question => question.EventData.Length) + text.Length > MaxShown;
        turn.Record(isOneTooMany
            ? new Fact.PermissionAsked(id, message.Id, string.Empty, [], PermissionQuestion.NotKept, expires)
            : new Fact.PermissionAsked(id, message.Id, permission, patterns, text, expires));
        turn.ShowRaw("permission.asked", message.Id, shown);
        if (isOneTooMany) Expire(turn, turn.State.Permissions[id.ToString()]);
        else if (patterns.Count > 0 && patterns.TrueForAll(p => turn.State.Grants.Contains($"{permission}\n{p}"))) Grant(turn, message, id);
    }

    /// <summary>
    /// This side is back. Nobody could answer while it was away, so an open question stays open for a while yet, and those who
    /// watch are told until when; a few times at most, so that a host that falls again and again does not keep it open for ever.
    /// </summary>
    public static void GiveGrace(Turn turn)
    {
        var (limits, until) = (turn.Limits, turn.Now + TimeSpan.FromTicks(Math.Min(turn.Limits.PermissionReturn.Ticks, turn.Limits.PermissionAnswer.Ticks)));
        foreach (var question in turn.State.Permissions.Values.Where(q => q.Decision is null && q.ExpiresAt < until && q.Extensions < limits.Graces))
        {
            turn.Record(new Fact.PermissionExtended(question.Id, until));
            turn.Show("permission.extended", question.Message, json =>
            {
                json.WriteString("permissionId", question.Id.ToString());
                json.WriteString("expiresAt", until);
            });
        }
    }

    /// <summary>Nobody answered in time, or the turn is over: the default is no.</summary>
    public static void Expire(Turn turn, PermissionQuestion question)
    {
        turn.Record(new Fact.PermissionDecided(question.Id, PermissionDecision.Reject, null, turn.Now));
        turn.Show("permission.expired", question.Message, json =>
        {
            json.WriteString("permissionId", question.Id.ToString());
            json.WriteString("decision", JsonShapes.Camel(PermissionDecision.Reject));
        });
    }

    private static void Grant(Turn turn, Message message, PermissionId id)
    {
        turn.Record(new Fact.PermissionDecided(id, PermissionDecision.Once, null, turn.Now));
        turn.Show("permission.answered", message.Id, json =>
        {
            json.WriteString("permissionId", id.ToString());
            json.WriteString("decision", JsonShapes.Camel(PermissionDecision.Once));
            json.WriteBoolean("grant", true);
        });
    }

    private static ImmutableList<string> Patterns(JsonElement data) =>
        data.TryGetProperty("patterns", out var list) && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Select(JsonText.Of).OfType<string>()]
            : [];
}
