using System.Net.Sockets;
using System.Text;

namespace Coordinator.Sandbox.Shim;

/// <summary>
/// The loopback connection of one tool: reads a request head within bounds, then its body, and writes an answer. Serves
/// one request; connections on loopback cost nothing, and none is reused for another target by mistake.
/// </summary>
internal sealed class ClientConnection(Socket socket) : IDisposable
{
    private const int MaxHeadBytes = 64 * 1024;
    private readonly NetworkStream stream = new(socket, ownsSocket: true);
    private byte[] buffer = new byte[8 * 1024];
    private int start;
    private int end;

    /// <summary>The bytes as they come, those read together with the head first.</summary>
    public Stream Raw => stream;

    /// <summary>The next head; null when the client closed, or sent what is no HTTP request.</summary>
    public async ValueTask<RequestHead?> ReadHeadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var found = buffer.AsSpan(start, end - start).IndexOf("\r\n\r\n"u8);
            if (found >= 0)
            {
                var head = RequestHead.Parse(buffer.AsSpan(start, found));
                start += found + 4;
                return head;
            }

            if (end == buffer.Length && !TryGrow()) return null;
            var read = await stream.ReadAsync(buffer.AsMemory(end), cancellationToken);
            if (read == 0) return null;
            end += read;
        }
    }

    /// <summary>Reads body bytes, those that came with the head first. 0 at the end.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (start == end) return await stream.ReadAsync(destination, cancellationToken);
        var count = Math.Min(destination.Length, end - start);
        buffer.AsSpan(start, count).CopyTo(destination.Span);
        start += count;
        return count;
    }

    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => stream.WriteAsync(bytes, cancellationToken);

    public ValueTask WriteTextAsync(string text, CancellationToken cancellationToken) => stream.WriteAsync(Encoding.Latin1.GetBytes(text), cancellationToken);

    /// <summary>Answers with a short body of its own and says that the connection closes.</summary>
    public ValueTask AnswerAsync(int status, string reason, string contentType, string body, CancellationToken cancellationToken, string? extraHeader = null)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var head = $"HTTP/1.1 {status} {reason}\r\nContent-Type: {contentType}\r\nContent-Length: {bytes.Length}\r\nConnection: close\r\n{(extraHeader is null ? "" : extraHeader + "\r\n")}\r\n";
        return stream.WriteAsync((byte[])[.. Encoding.Latin1.GetBytes(head), .. bytes], cancellationToken);
    }

    /// <summary>Completes when the client closes or sends what it should not: nobody waits for the answer any more.</summary>
    public async Task WaitForCloseAsync(CancellationToken cancellationToken)
    {
        var one = new byte[1];
        try
        {
            await ReadAsync(one, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            return;
        }
    }

    /// <summary>Tells the client that no more comes, and leaves what was sent to be read.</summary>
    public void FinishSending()
    {
        if (socket.Connected) socket.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Closes so that the client cannot take what it has for the whole: with a reset instead of an end.</summary>
    public void Abort()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }

    public void Dispose() => stream.Dispose();

    private bool TryGrow()
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
            return true;
        }

        if (buffer.Length >= MaxHeadBytes) return false;
        Array.Resize(ref buffer, buffer.Length * 2);
        return true;
    }
}
