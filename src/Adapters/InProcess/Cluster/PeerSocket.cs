using System.Buffers;
using System.Net.WebSockets;

namespace Coordinator.Adapters.InProcess.Cluster;

/// <summary>Whole messages over a socket between two hosts; one reader, any number of writers.</summary>
internal sealed class PeerSocket(WebSocket socket) : IDisposable
{
    public const int LargestMessage = 4 * 1024 * 1024;

    private readonly SemaphoreSlim sending = new(1);

    /// <summary>Why the other side closed, where it said so.</summary>
    public string? WhyClosed => socket.CloseStatusDescription;

    /// <summary>The next message; null when the other side has closed, or is gone, or says more at once than <paramref name="largest"/>.</summary>
    public async Task<byte[]?> ReceiveAsync(CancellationToken cancellationToken, int largest = LargestMessage)
    {
        var message = new ArrayBufferWriter<byte>(4 * 1024);
        try
        {
            while (message.WrittenCount <= largest)
            {
                var part = await socket.ReceiveAsync(message.GetMemory(4 * 1024), cancellationToken);
                if (part.MessageType == WebSocketMessageType.Close) return null;
                message.Advance(part.Count);
                if (part.EndOfMessage) return message.WrittenSpan.ToArray();
            }

            return null;
        }
        catch (Exception gone) when (IsGone(gone, cancellationToken))
        {
            return null;
        }
    }

    /// <exception cref="WebSocketException">The other side is gone.</exception>
    public async Task SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        await sending.WaitAsync(cancellationToken);
        try
        {
            await socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, cancellationToken);
        }
        catch (Exception gone) when (gone is not WebSocketException && IsGone(gone, cancellationToken))
        {
            throw new WebSocketException("The other host is gone.", gone);
        }
        finally
        {
            sending.Release();
        }
    }

    /// <summary>Says that nothing more will be said, after what was.</summary>
    public Task FinishAsync(CancellationToken cancellationToken) => CloseAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);

    /// <summary>Says that nothing will be said, and why, to who then closes too.</summary>
    public async Task RefuseAsync(string why, CancellationToken cancellationToken)
    {
        try
        {
            await CloseAsync(WebSocketCloseStatus.PolicyViolation, why, cancellationToken);
            await ReceiveAsync(cancellationToken, largest: 0);
        }
        catch (OperationCanceledException)
        {
            // It did not close in time.
        }
    }

    private async Task CloseAsync(WebSocketCloseStatus status, string? why, CancellationToken cancellationToken)
    {
        try
        {
            await socket.CloseOutputAsync(status, why, cancellationToken);
        }
        catch (Exception gone) when (IsGone(gone, cancellationToken))
        {
            // Nobody is left to hear it.
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
