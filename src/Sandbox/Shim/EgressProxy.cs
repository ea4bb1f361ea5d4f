using System.Text;

namespace Coordinator.Sandbox.Shim;

/// <summary>The HTTP proxy git and the package managers use: tunnels, and plain requests, each by a connection of its own.</summary>
internal sealed class EgressProxy(EgressTunnel egress, TimeProvider time)
{
    private const int Block = 32 * 1024;

    /// <summary>How long the other direction may go on after one is finished.</summary>
    private static readonly TimeSpan HalfOpen = TimeSpan.FromSeconds(30);

    public async Task ServeAsync(ClientConnection client, RequestHead head, CancellationToken cancellationToken)
    {
        var isTunnel = head.Method == "CONNECT";
        var target = isTunnel ? ProxyTarget.ParseTunnel(head.Target) : ProxyTarget.ParseAbsolute(head.Target);
        if (target is null)
        {
            await client.AnswerAsync(400, "Bad Request", "text/plain", "The proxy takes CONNECT host:port, and http:// addresses.\n", cancellationToken);
            return;
        }

        switch (await egress.OpenAsync(target, cancellationToken))
        {
            case EgressResult.Refused refused:
                await client.AnswerAsync(refused.Status, refused.Status == 403 ? "Forbidden" : "Bad Gateway", "text/plain", refused.Detail + "\n", cancellationToken);
                break;
            case EgressResult.Open open:
                using (open.Response) await (isTunnel ? TunnelAsync(client, open.Stream, cancellationToken) : ForwardAsync(client, head, target, open.Stream, cancellationToken));
                break;
        }
    }

    private async Task TunnelAsync(ClientConnection client, Stream outside, CancellationToken cancellationToken)
    {
        await client.WriteTextAsync("HTTP/1.1 200 Connection established\r\n\r\n", cancellationToken);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var outward = CopyOutwardAsync(client, outside, ending.Token);
        var inward = CopyInwardAsync(client, outside, ending.Token);
        var first = await Task.WhenAny(outward, inward);
        if (first == outward) await inward.WaitAsync(HalfOpen, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ending.CancelAsync();
        await Task.WhenAll(outward, inward);
    }

    /// <summary>
    /// One plain request in origin form, with the connection closed after it, so that nothing the client sends next can
    /// reach this target in place of its own.
    /// </summary>
    private static async Task ForwardAsync(ClientConnection client, RequestHead head, ProxyTarget target, Stream outside, CancellationToken cancellationToken)
    {
        var text = new StringBuilder().Append(head.Method).Append(' ').Append(target.Path).Append(" HTTP/1.1\r\nHost: ").Append(target.Authority).Append("\r\n");
        foreach (var (name, value) in head.Headers.Where(header => !RequestHead.IsHopByHop(header.Key))) text.Append(name).Append(": ").Append(value).Append("\r\n");
        if (head.IsChunked) text.Append("Transfer-Encoding: chunked\r\n");
        else if (head["Content-Length"] is { } length) text.Append("Content-Length: ").Append(length).Append("\r\n");
        text.Append("Connection: close\r\n\r\n");
        if (head.ExpectsContinue) await client.WriteTextAsync("HTTP/1.1 100 Continue\r\n\r\n", cancellationToken);

        await outside.WriteAsync(Encoding.ASCII.GetBytes(text.ToString()), cancellationToken);
        var whole = await RequestBody.ReadAsync(client, head, long.MaxValue, block => WriteBlockAsync(outside, head.IsChunked, block, cancellationToken), cancellationToken);
        if (!whole) return;
        if (head.IsChunked) await outside.WriteAsync("0\r\n\r\n"u8.ToArray(), cancellationToken);
        await outside.FlushAsync(cancellationToken);
        await CopyInwardAsync(client, outside, cancellationToken);
    }

    private static async ValueTask WriteBlockAsync(Stream outside, bool chunked, ReadOnlyMemory<byte> block, CancellationToken cancellationToken)
    {
        if (chunked) await outside.WriteAsync(Encoding.ASCII.GetBytes($"{block.Length:x}\r\n"), cancellationToken);
        await outside.WriteAsync(block, cancellationToken);
        if (chunked) await outside.WriteAsync("\r\n"u8.ToArray(), cancellationToken);
    }

    private static async Task CopyOutwardAsync(ClientConnection client, Stream outside, CancellationToken cancellationToken)
    {
        var block = new byte[Block];
        try
        {
            while (await client.ReadAsync(block, cancellationToken) is var read and > 0)
            {
                await outside.WriteAsync(block.AsMemory(0, read), cancellationToken);
                await outside.FlushAsync(cancellationToken);
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // One side hung up: the other is told by the end of the tunnel.
            return;
        }
    }

    private static async Task CopyInwardAsync(ClientConnection client, Stream outside, CancellationToken cancellationToken)
    {
        var block = new byte[Block];
        try
        {
            while (await outside.ReadAsync(block, cancellationToken) is var read and > 0) await client.WriteAsync(block.AsMemory(0, read), cancellationToken);
            client.FinishSending();
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            return;
        }
    }
}
