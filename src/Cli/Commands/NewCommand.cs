using System.CommandLine;
using Coordinator.Client;

namespace Coordinator.Cli.Commands;

/// <summary><c>coordinator new</c>: makes a session, with a first prompt when one is given.</summary>
internal static class NewCommand
{
    public static Command Create()
    {
        var prompt = new Argument<string?>("prompt") { Arity = ArgumentArity.ZeroOrOne, Description = "The first prompt." };
        var model = new Option<string>("--model", "-m") { Required = true, Description = "provider/model; there is no default." };
        var repository = new Option<string?>("--repository", "-r") { Description = "A repository's https URL; none: an empty workspace." };
        var branch = new Option<string?>("--branch", "-b") { Description = "Its branch; default: the repository's." };
        var title = new Option<string?>("--title") { Description = "A title; default: made from the repository or the prompt." };
        var agent = new Option<string?>("--agent") { Description = "opencode (default) or opencode-acp." };
        var ask = new Option<bool>("--ask") { Description = "Ask before commands and edits." };
        var follow = new Option<bool>("--follow", "-f") { Description = "Show what happens until the prompt ends." };
        var command = new Command("new", "Start a session.") { prompt, model, repository, branch, title, agent, ask, follow };
        command.SetClientAction(async (parsed, client, cancellationToken) =>
        {
            var source = parsed.GetValue(repository) is { } url ? new Repository(url, parsed.GetValue(branch)) : null;
            var text = parsed.GetValue(prompt);
            var session = await client.CreateSessionAsync(
                new(parsed.GetValue(model)!, parsed.GetValue(title), source, parsed.GetValue(agent), parsed.GetValue(ask) ? "ask" : "auto", text), // with the prompt, which names it
                cancellationToken);
            Terminal.Line(session.Id);
            return text is not null && parsed.GetValue(follow) ? await PromptCommand.FollowAsync(client, session.Id, session.Messages[0].Id, cancellationToken) : 0;
        });
        return command;
    }
}
