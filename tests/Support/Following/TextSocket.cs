using System.Buffers;
using System.Net.WebSockets;
using System.Text;

namespace Coordinator.Tests.Support.Following;

/// <summary>One end of a WebSocket of whole text frames, which notices by itself when the other end hangs.</summary>
public sealed class TextSocket : IDisposable
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(15);

    private readonly ClientWebSocket socket = new();
    private readonly SemaphoreSlim sending = new(1);

    private TextSocket(string protocol, string credential)
    {
        socket.Options.AddSubProtocol(protocol);
        socket.Options.SetRequestHeader("Authorization", $"Bearer {credential}");
        (socket.Options.KeepAliveInterval, socket.Options.KeepAliveTimeout) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));
        socket.Options.CollectHttpResponseDetails = true;
    }

    /// <summary>The code that the other end closed with; null while it has not, or when the connection just ended.</summary>
    public int? CloseCode => (int?)socket.CloseStatus;

    /// <exception cref="WebSocketException">There is no connection to be had there now.</exception>
    public static async Task<TextSocket> ConnectAsync(Uri host, string path, string protocol, string credential, CancellationToken cancellationToken)
    {
        var made = new TextSocket(protocol, credential);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ConnectLimit);
        try
        {
            await made.socket.ConnectAsync(new UriBuilder(new Uri(host, path)) { Scheme = "ws" }.Uri, limit.Token);
            return made;
        }
        catch (Exception failure)
        {
            var status = (int)made.socket.HttpStatusCode;
            made.Dispose();
            if (failure is WebSocketException && status is >= 400 and < 500 and not 429) throw new InvalidOperationException($"{host} refused the socket with {status}.", failure);
            if (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested) throw new WebSocketException("No connection in time.", failure);
            throw;
        }
    }

    /// <exception cref="WebSocketException">The other end is gone.</exception>
    public async Task SendAsync(string text, CancellationToken cancellationToken)
    {
        await sending.WaitAsync(cancellationToken);
        try
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
        }
        catch (Exception gone) when (gone is not WebSocketException && IsGone(gone, cancellationToken))
        {
            throw new WebSocketException("The other end is gone.", gone);
        }
        finally
        {
            sending.Release();
        }
    }

    /// <summary>The next frame; null when the other end has closed, hangs or is gone.</summary>
    public async Task<byte[]?> ReceiveAsync(CancellationToken cancellationToken)
    {
        var frame = new ArrayBufferWriter<byte>(64 * 1024);
        try
        {
            while (true)
            {
                var part = await socket.ReceiveAsync(frame.GetMemory(16 * 1024), cancellationToken);
                if (part.MessageType == WebSocketMessageType.Close) return null;
                frame.Advance(part.Count);
                if (part.EndOfMessage) return frame.WrittenSpan.ToArray();
            }
        }
        catch (Exception gone) when (IsGone(gone, cancellationToken))
        {
            return null;
        }
    }

    public void Dispose()
    {
        socket.Abort();
        socket.Dispose();
        sending.Dispose();
    }

    /// <summary>A socket that is given up because no pong came ends what is under way as if somebody had cancelled it.</summary>
    private static bool IsGone(Exception failure, CancellationToken cancellationToken) =>
        failure is WebSocketException or IOException or ObjectDisposedException or InvalidOperationException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested);
}
