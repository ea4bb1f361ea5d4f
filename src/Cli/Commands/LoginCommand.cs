using System.CommandLine;
using Coordinator.Client;

namespace Coordinator.Cli.Commands;

/// <summary><c>coordinator login</c>: spends a one-time sign-in link, or checks an API key, and remembers it.</summary>
internal static class LoginCommand
{
    public static Command Create()
    {
        var url = CommonOptions.Url();
        var link = new Option<string?>("--link") { Description = "The one-time link that the host printed, which names the host too, or its sl_… part." };
        var key = new Option<string?>("--key") { Description = "An API key (ck_…) made in the settings." };
        var command = new Command("login", "Sign in to a host and remember it.") { url, link, key };
        command.SetAction(async (parsed, cancellationToken) =>
            await RunAsync(Credentials.UrlFrom(parsed.GetValue(url) ?? HostOf(parsed.GetValue(link))), parsed.GetValue(link), parsed.GetValue(key), cancellationToken));
        return command;
    }

    /// <summary>The host that a whole link names; null for its secret alone.</summary>
    internal static string? HostOf(string? link) =>
        Uri.TryCreate(link, UriKind.Absolute, out var whole) && (whole.Scheme == Uri.UriSchemeHttp || whole.Scheme == Uri.UriSchemeHttps) ? whole.GetLeftPart(UriPartial.Authority) : null;

    private static async Task<int> RunAsync(Uri url, string? link, string? key, CancellationToken cancellationToken)
    {
        if (key is null && link is null)
        {
            Terminal.Error("Give --link (the host prints one at start) or --key (made in the settings).");
            return 2;
        }

        if (key is null)
        {
            using var anonymous = new CoordinatorClient(url);
            var secret = link!.Contains('#', StringComparison.Ordinal) ? link[(link.IndexOf('#', StringComparison.Ordinal) + 1)..] : link;
            key = (await anonymous.SignInAsync(secret, $"coordinator CLI on {Environment.MachineName}", cancellationToken)).Key;
        }

        using var client = new CoordinatorClient(url, key);
        var me = await client.MeAsync(cancellationToken);
        var path = new Credentials(url.ToString().TrimEnd('/'), key).Save();
        Terminal.Line($"Signed in to {me.Organization.Name} at {url} as {me.Principal.DisplayName}. Stored in {path}.");
        return 0;
    }
}
