using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Sandbox.HostLink;
using Coordinator.Sandbox.Processes;
using Coordinator.Sandbox.Shim;

namespace Coordinator.Sandbox.Commands;

/// <summary>
/// <c>coordinator-box git-credential get</c>: git's credential helper protocol. Asks the box's program, which asks the
/// control plane each time; nothing is stored. Says nothing when there is no credential, and git then fails by itself. Where it
/// cannot be told whether there is one, git is told to stop: it would go on without, and take a private repository for none.
/// </summary>
internal static class GitCredentialCommand
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(25);

    public static async Task<int> RunAsync(string action, TextReader input, TextWriter output, string? port)
    {
        if (action != "get") return 0;
        var asked = ReadAttributes(input);
        // A password must not travel in the clear.
        if (asked.GetValueOrDefault("protocol") != "https" || !asked.TryGetValue("host", out var host) || !int.TryParse(port, out var number)) return 0;
        try
        {
            if (await FindAsync(number, host) is { } credential) await output.WriteAsync($"username={credential.Username}\npassword={credential.Password}\n");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or JsonException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"coordinator: the credential for {host} could not be loaded: {failure.Message}");
            await output.WriteAsync("quit=1\n");
        }

        return 0;
    }

    private static async Task<GitCredentialAnswer?> FindAsync(int port, string host)
    {
        using var invoker = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, ConnectCallback = DialedConnection.ToHostAsync });
        using var timeout = new CancellationTokenSource(Timeout);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}{CredentialRoute.Path}?host={Uri.EscapeDataString(host)}");
        request.Headers.Add(CredentialRoute.Header, CredentialRoute.HeaderValue);
        using var response = await invoker.SendAsync(request, timeout.Token);
        if (response.StatusCode == HttpStatusCode.NotFound) return null;
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync(HostJson.Default.GitCredentialAnswer, timeout.Token);
    }

    private static Dictionary<string, string> ReadAttributes(TextReader input)
    {
        var attributes = new Dictionary<string, string>(StringComparer.Ordinal);
        while (input.ReadLine() is { Length: > 0 } line)
        {
            if (line.IndexOf('=', StringComparison.Ordinal) is var at and > 0) attributes[line[..at]] = line[(at + 1)..];
        }

        return attributes;
    }
}
