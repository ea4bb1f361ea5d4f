using System.CommandLine;
using Coordinator.Client;

namespace Coordinator.Cli.Commands;

/// <summary>Options that every command which talks to a host has.</summary>
internal static class CommonOptions
{
    public static Option<string?> Url() => new("--url") { Description = $"The host; default: $COORDINATOR_URL, the one signed in to, or {Credentials.DefaultUrl}." };

    public static Option<string?> Key() => new("--key") { Description = "An API key; default: $COORDINATOR_API_KEY or the one that login stored." };

    /// <summary>A command with --url and --key whose action gets a connected client.</summary>
    public static void SetClientAction(this Command command, Func<ParseResult, CoordinatorClient, CancellationToken, Task<int>> action)
    {
        var (url, key) = (Url(), Key());
        command.Add(url);
        command.Add(key);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = Credentials.Connect(parsed.GetValue(url), parsed.GetValue(key));
            client.WaitingForEarlierTry += () => Terminal.Error("an earlier try of the same request is still being answered, waiting for it …");
            return await action(parsed, client, cancellationToken);
        });
    }
}
