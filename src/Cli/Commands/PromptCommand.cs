using System.CommandLine;
using Coordinator.Client;

namespace Coordinator.Cli.Commands;

/// <summary><c>coordinator prompt SESSION TEXT --follow</c>: queues a prompt and shows its turn until it ends.</summary>
internal static class PromptCommand
{
    public static Command Create()
    {
        var session = new Argument<string>("session") { Description = "The session's id, ses_…" };
        var text = new Argument<string>("text") { Description = "What to do; - reads standard input." };
        var model = new Option<string?>("--model", "-m") { Description = "Another model for this prompt." };
        var follow = new Option<bool>("--follow", "-f") { Description = "Show what happens until it ends." };
        var command = new Command("prompt", "Ask a session for work.") { session, text, model, follow };
        command.SetClientAction(async (parsed, client, cancellationToken) =>
        {
            var id = parsed.GetValue(session)!;
            var prompt = parsed.GetValue(text) is "-" ? await Console.In.ReadToEndAsync(cancellationToken) : parsed.GetValue(text)!;
            var accepted = await client.PromptAsync(id, prompt, cancellationToken, parsed.GetValue(model));
            if (parsed.GetValue(follow)) return await FollowAsync(client, id, accepted.MessageId, cancellationToken);
            Terminal.Line($"{accepted.MessageId} queued at position {accepted.Position}");
            return 0;
        });
        return command;
    }

    /// <summary>Shows a message's turn; 0 when it completed, 1 when it failed or was cancelled.</summary>
    public static async Task<int> FollowAsync(CoordinatorClient client, string session, string messageId, CancellationToken cancellationToken)
    {
        var follower = new SessionFollower(client, session);
        follower.Disconnected += _ => Terminal.Error("connection lost, reconnecting …");
        var printer = new EventPrinter();
        var started = false;
        await foreach (var e in follower.FollowAsync(null, cancellationToken))
        {
            started |= e.MessageId == messageId;
            if (started && (e.MessageId is null || e.MessageId == messageId)) printer.Print(e);
            if (e.MessageId == messageId && e.Type is "message.completed" or "message.failed" or "message.cancelled" && started) return e.Type == "message.completed" ? 0 : 1;
        }

        return 1;
    }
}
