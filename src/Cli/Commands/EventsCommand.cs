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
            if (parsed.GetValue(follow)) await FollowAsync(new(client, id), cursor, cancellationToken);
            for (var page = await client.ListEventsAsync(id, cursor, 1_000, cancellationToken); ; page = await client.ListEventsAsync(id, cursor, 1_000, cancellationToken))
            {
                foreach (var (e, resume) in Resumable(page, cursor)) Print(e, resume);
                if (page.NextCursor is null) return 0;
                cursor = page.NextCursor;
            }
        });
        return command;
    }

    /// <summary>
    /// Each event of a page with a cursor to resume after without a gap: the page's end with its last event, before that
    /// where the page began. The cursor within an event is of when it was written, maybe before the server was restored.
    /// </summary>
    internal static IEnumerable<(SessionEvent Event, string? Resume)> Resumable(EventPage page, string? began) =>
        page.Items.Select((e, i) => (e, i == page.Items.Count - 1 ? page.Cursor : began));

    private static async Task FollowAsync(SessionFollower follower, string? after, CancellationToken cancellationToken)
    {
        await foreach (var e in follower.FollowAsync(after, cancellationToken)) Print(e, follower.Cursor);
    }

    private static void Print(SessionEvent e, string? resume) => Terminal.Line(
        $"{{\"cursor\":{(resume is null ? "null" : $"\"{resume}\"")},\"at\":\"{e.At:O}\",\"type\":\"{e.Type}\"{(e.MessageId is null ? string.Empty : $",\"messageId\":\"{e.MessageId}\"")},\"data\":{JsonSerializer.Serialize(e.Data, JsonElementJson.Default.JsonElement)}}}");
}

[System.Text.Json.Serialization.JsonSerializable(typeof(JsonElement))]
internal sealed partial class JsonElementJson : System.Text.Json.Serialization.JsonSerializerContext;
