using System.CommandLine;
using System.Text.Json;
using Coordinator.Client;

namespace Coordinator.Cli.Commands;

/// <summary><c>coordinator events SESSION</c>: the session's events as JSON lines, for scripts; with --follow, for ever.</summary>
internal static class EventsCommand
{
    public static Command Create()
    {
        var session = new Argument<string>("session") { Description = "The session's id, ses_…" };
        var after = new Option<string?>("--after") { Description = "A cursor; default: from the first event." };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on as they happen." };
        var command = new Command("events", "Print a session's events as JSON lines.") { session, after, follow };
        command.SetClientAction(async (parsed, client, cancellationToken) =>
        {
            var (id, cursor) = (parsed.GetValue(session)!, parsed.GetValue(after));
            if (parsed.GetValue(follow))
                await foreach (var e in new SessionFollower(client, id).FollowAsync(cursor, cancellationToken)) Print(e);
            for (var page = await client.ListEventsAsync(id, cursor, 1_000, cancellationToken); ; page = await client.ListEventsAsync(id, page.NextCursor, 1_000, cancellationToken))
            {
                foreach (var e in page.Items) Print(e);
                if (page.NextCursor is null) return 0;
            }
        });
        return command;
    }

    private static void Print(SessionEvent e) => Terminal.Line(
        $"{{\"cursor\":\"{e.Cursor}\",\"at\":\"{e.At:O}\",\"type\":\"{e.Type}\"{(e.MessageId is null ? string.Empty : $",\"messageId\":\"{e.MessageId}\"")},\"data\":{JsonSerializer.Serialize(e.Data, JsonElementJson.Default.JsonElement)}}}");
}

[System.Text.Json.Serialization.JsonSerializable(typeof(JsonElement))]
internal sealed partial class JsonElementJson : System.Text.Json.Serialization.JsonSerializerContext;
