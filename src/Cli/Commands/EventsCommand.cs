using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Coordinator.Client;

namespace Coordinator.Cli.Commands;

/// <summary><c>coordinator events SESSION</c>: the session's events as JSON lines, for scripts; with --follow, for ever.</summary>
internal static class EventsCommand
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

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
                foreach (var e in page.Items) Print(e, page.CursorAfter(e));
                if (page.NextCursor is null) return 0;
                cursor = page.NextCursor;
            }
        });
        return command;
    }

    private static async Task FollowAsync(SessionFollower follower, string? after, CancellationToken cancellationToken)
    {
        await foreach (var e in follower.FollowAsync(after, cancellationToken)) Print(e, follower.Cursor!);
    }

    /// <summary>The envelope of docs/protocol.md, section 2, but for its cursor: that one is to resume after, and never of before a restore.</summary>
    private static void Print(SessionEvent e, string cursor)
    {
        var line = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(line, Writing);
        json.WriteStartObject();
        json.WriteString("cursor"u8, cursor);
        json.WriteNumber("seq"u8, e.Seq);
        if (e.From is { } from) json.WriteNumber("from"u8, from);
        json.WriteString("at"u8, e.At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        json.WriteString("type"u8, e.Type);
        if (e.MessageId is { } message) json.WriteString("messageId"u8, message);
        json.WritePropertyName("data"u8);
        e.Data.WriteTo(json);
        json.WriteEndObject();
        json.Flush();
        Terminal.Line(Encoding.UTF8.GetString(line.WrittenSpan));
    }
}
