using System.Net;
using System.Text;

namespace Coordinator.Sandbox.Shim;

/// <summary>
/// Carries the agent's model calls to the control plane. An answer streams through as it comes; an answer that breaks off,
/// or whose host falls silent, is broken off here too, so that the agent sees a cut and not an end, and calls again.
/// </summary>
internal sealed class ModelRoute(HostCaller hosts, BoxLog log)
{
    private const long MaxBodyBytes = 32 * 1024 * 1024;

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
        using var answer = await hosts.CallAsync(head, body, cancellationToken);
        if (answer is null)
        {
            await RefuseAsync(client, 503, "Service Unavailable", "host_unavailable", "The control plane does not answer; try again.", cancellationToken, "Retry-After: 5");
            return;
        }

        try
        {
            await RelayAsync(client, answer, cancellationToken);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            log.DialFailed($"a model call broke off: {exception.Message}");
            client.Abort();
        }
    }

    private static async Task RelayAsync(ClientConnection client, HostAnswer answer, CancellationToken cancellationToken)
    {
        var status = answer.Head.Status;
        var head = new StringBuilder().Append("HTTP/1.1 ").Append(status).Append(' ').Append((HttpStatusCode)status).Append("\r\n");
        foreach (var (name, values) in answer.Head.Headers.Where(header => !RequestHead.IsHopByHop(header.Key)))
        {
            foreach (var value in values) head.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        head.Append("Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
        await client.WriteTextAsync(head.ToString(), cancellationToken);

        while (await answer.ReadAsync(cancellationToken) is { IsEmpty: false } piece) await client.WriteAsync(Chunk(piece.Span), cancellationToken);
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
