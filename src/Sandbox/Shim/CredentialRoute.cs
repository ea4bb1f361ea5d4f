using System.Text.Json;
using Coordinator.Sandbox.HostLink;

namespace Coordinator.Sandbox.Shim;

/// <summary>
/// Answers git's credential helper. The header keeps a page that was opened in a browser inside the box from asking: it
/// cannot set one without the answer's leave.
/// </summary>
internal sealed class CredentialRoute(GitCredentials credentials)
{
    public const string Path = "/coordinator/git-credential";
    public const string Header = "Coordinator-Box";
    public const string HeaderValue = "git-credential";

    public async Task ServeAsync(ClientConnection client, RequestHead head, CancellationToken cancellationToken)
    {
        var host = head.Target.Split("?host=") is [Path, var name] ? Uri.UnescapeDataString(name) : "";
        if (head.Method != "GET" || head[Header] != HeaderValue || host.Length is 0 or > 300)
        {
            await client.AnswerAsync(400, "Bad Request", "text/plain", "", cancellationToken);
            return;
        }

        try
        {
            if (await credentials.FindAsync(host, cancellationToken) is { } found) await client.AnswerAsync(200, "OK", "application/json", JsonSerializer.Serialize(found, HostJson.Default.GitCredentialAnswer), cancellationToken);
            else await client.AnswerAsync(404, "Not Found", "text/plain", "", cancellationToken);
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            await client.AnswerAsync(502, "Bad Gateway", "text/plain", "", cancellationToken);
        }
    }
}
