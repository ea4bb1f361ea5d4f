using System.Diagnostics;
using System.Net;
using System.Text;
using Coordinator.Sandbox.HostLink;

namespace Coordinator.Sandbox.Shim;

/// <summary>
/// Carries the agent's model calls to the control plane. A call that got no answer yet is tried again while the host
/// restarts; an answer streams through as it comes; an answer that breaks off is broken off here too, so that the agent
/// sees a cut and not an end, and calls again.
/// </summary>
internal sealed class ModelRoute(HostConnection host, GatewayToken token, TimeProvider time, BoxLog log)
{
    private const long MaxBodyBytes = 32 * 1024 * 1024;
    private const int Block = 16 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    /// <summary>Credentials of whatever sort the agent was configured with: none of them counts here.</summary>
    private static readonly HashSet<string> Credentials = new(StringComparer.OrdinalIgnoreCase) { "Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", "Cookie", "Accept-Encoding" };

    private int underWay;

    /// <summary>Calls the model is thinking about: an agent that waits for one is not hung.</summary>
    public int CallsUnderWay => Volatile.Read(ref underWay);

    public async Task ServeAsync(ClientConnection client, RequestHead head, CancellationToken cancellationToken)
    {
        if (head.Target.Contains("..", StringComparison.Ordinal) || head.Target.Contains("%2e", StringComparison.OrdinalIgnoreCase))
        {
            // Would lead to another route of the control plane.
            await RefuseAsync(client, 404, "Not Found", "path_invalid", "There is no such model route.", cancellationToken);
            return;
        }

        if (head.ExpectsContinue) await client.WriteTextAsync("HTTP/1.1 100 Continue\r\n\r\n", cancellationToken);
        if (await RequestBody.ReadAllAsync(client, head, MaxBodyBytes, cancellationToken) is not { } body)
        {
            await RefuseAsync(client, 413, "Content Too Large", "request_too_large", "The model call is larger than 32 MiB, or its body broke off.", cancellationToken);
            return;
        }

        Interlocked.Increment(ref underWay);
        using var call = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var gone = client.WaitForCloseAsync(call.Token);
        try
        {
            var calling = CallAsync(client, head, body, call.Token);
            // A client that hangs up has given the call up: it must not go on costing money.
            if (await Task.WhenAny(calling, gone) == gone) await call.CancelAsync();
            await calling;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            client.Abort();
        }
        finally
        {
            Interlocked.Decrement(ref underWay);
            await call.CancelAsync();
            await gone;
        }
    }

    private async Task CallAsync(ClientConnection client, RequestHead head, byte[] body, CancellationToken cancellationToken)
    {
        using var response = await SendPatientlyAsync(head, body, cancellationToken);
        if (response is null)
        {
            await RefuseAsync(client, 503, "Service Unavailable", "host_unavailable", "The control plane does not answer; try again.", cancellationToken, "Retry-After: 5");
            return;
        }

        try
        {
            await RelayAsync(client, response, cancellationToken);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            log.DialFailed($"a model call broke off: {exception.Message}");
            client.Abort();
        }
    }

    /// <summary>The first answer, whatever its status; null when there was none in time.</summary>
    private async Task<HttpResponseMessage?> SendPatientlyAsync(RequestHead head, byte[] body, CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        var pause = FirstPause;
        string? refused = null;
        while (true)
        {
            try
            {
                var credential = await token.GetAsync(refused, cancellationToken);
                var response = await SendOnceAsync(head, body, credential, cancellationToken);
                if (response.StatusCode != HttpStatusCode.Unauthorized || refused is not null) return response;
                refused = credential;
                response.Dispose();
                continue;
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException)
            {
                if (time.GetElapsedTime(since) + pause > Patience) return null;
                log.DialFailed($"a model call waits: {exception.Message}");
            }

            await Task.Delay(pause, time, cancellationToken);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(RequestHead head, byte[] body, string credential, CancellationToken cancellationToken)
    {
        using var request = host.NewAnonymousRequest(new HttpMethod(head.Method), head.Target.TrimStart('/'));
        request.Content = new ByteArrayContent(body);
        foreach (var (name, value) in head.Headers)
        {
            if (RequestHead.IsHopByHop(name) || Credentials.Contains(name)) continue;
            if (!request.Headers.TryAddWithoutValidation(name, value)) request.Content.Headers.TryAddWithoutValidation(name, value);
        }

        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {credential}");
        return await host.SendAsync(request, cancellationToken);
    }

    private static async Task RelayAsync(ClientConnection client, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var head = new StringBuilder().Append("HTTP/1.1 ").Append((int)response.StatusCode).Append(' ').Append(response.ReasonPhrase).Append("\r\n");
        foreach (var (name, values) in response.Headers.Concat(response.Content.Headers).Where(header => !RequestHead.IsHopByHop(header.Key)))
        {
            foreach (var value in values) head.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        head.Append("Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
        await client.WriteTextAsync(head.ToString(), cancellationToken);

        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var block = new byte[Block];
        while (await body.ReadAsync(block, cancellationToken) is var read and > 0) await client.WriteAsync(Chunk(block.AsSpan(0, read)), cancellationToken);
        await client.WriteTextAsync("0\r\n\r\n", cancellationToken);
        client.FinishSending();
    }

    private static byte[] Chunk(ReadOnlySpan<byte> data)
    {
        var size = Encoding.ASCII.GetBytes($"{data.Length:x}\r\n");
        return [.. size, .. data, (byte)'\r', (byte)'\n'];
    }

    /// <summary>An error in the shape the model providers' clients understand.</summary>
    private static ValueTask RefuseAsync(ClientConnection client, int status, string reason, string code, string message, CancellationToken cancellationToken, string? extraHeader = null) =>
        client.AnswerAsync(status, reason, "application/json", $$$"""{"error":{"message":"{{{message}}}","type":"{{{code}}}","code":"{{{code}}}"}}""", cancellationToken, extraHeader);
}
