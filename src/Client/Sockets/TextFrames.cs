using System.Net.WebSockets;

namespace Coordinator.Client;

/// <summary>
/// Whole text frames of bounded size over a WebSocket that is this one's. A peer from which nothing comes is asked whether it is
/// there (<c>ping</c>), and given up when it does not answer. Ends with an <see cref="IOException"/> where another
/// connection may do better, and with a <see cref="CoordinatorException"/> where none will.
/// </summary>
internal sealed class TextFrames(ClientWebSocket socket, TimeProvider time) : IDisposable
{
    /// <summary>Of a frame that is sent: a host closes a socket over a larger one.</summary>
    public const int MaxSentBytes = 256 * 1024;

    /// <summary>Of a frame that comes: those that show the session whole hold all its open questions.</summary>
    private const int MaxReceivedBytes = 4 * 1024 * 1024;

    private static readonly TimeSpan Quiet = ResumedEvents.LongestSilence / 2;

    /// <summary>The longest silence before the first frame: a host that looks for the session, in a database that is slow, answers nothing else meanwhile.</summary>
    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan SendWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CloseWithin = TimeSpan.FromSeconds(2);
    private static readonly byte[] Ping = """{"type":"ping"}"""u8.ToArray();

    private readonly SemaphoreSlim sending = new(1);
    private byte[] buffer = new byte[16 * 1024];
    private bool hasBegun;

    /// <summary>The next frame; its bytes are valid until the one after it is asked for.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancellationToken)
    {
        for (var used = 0; ;)
        {
            if (used == buffer.Length) Array.Resize(ref buffer, Math.Min(2 * used, MaxReceivedBytes + 1));
            var part = await ReceivePartAsync(buffer.AsMemory(used), cancellationToken);
            if (part.MessageType == WebSocketMessageType.Close) throw Closed((int?)socket.CloseStatus ?? 1005, socket.CloseStatusDescription);
            used += part.Count;
            if (part.MessageType != WebSocketMessageType.Text || used > MaxReceivedBytes) throw new IOException("The host sent what is no text frame of at most 4 MiB.");
            if (!part.EndOfMessage) continue;
            hasBegun = true;
            return buffer.AsMemory(0, used);
        }
    }

    /// <summary>Sends one frame, bounded.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> frame, CancellationToken cancellationToken)
    {
        await sending.WaitAsync(cancellationToken);
        using var slow = new CancellationTokenSource(SendWithin, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(slow.Token, cancellationToken);
        try
        {
            await socket.SendAsync(frame, WebSocketMessageType.Text, endOfMessage: true, either.Token);
        }
        catch (Exception e) when (e is WebSocketException or ObjectDisposedException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new IOException("What was sent did not go out.", e);
        }
        finally
        {
            sending.Release();
        }
    }

    /// <summary>Says goodbye where there is still somebody to hear it, bounded. A receive may be under way.</summary>
    public async Task CloseAsync()
    {
        using var slow = new CancellationTokenSource(CloseWithin, time);
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived) await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, slow.Token);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException)
        {
            socket.Abort();
        }
    }

    public void Dispose() => socket.Dispose();

    private async ValueTask<ValueWebSocketReceiveResult> ReceivePartAsync(Memory<byte> into, CancellationToken cancellationToken)
    {
        var receiving = socket.ReceiveAsync(into, cancellationToken).AsTask();
        try
        {
            await ListenAsync(receiving, cancellationToken);
        }
        catch
        {
            socket.Abort();
            await ((Task)receiving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        try
        {
            return await receiving;
        }
        catch (WebSocketException e)
        {
            throw new IOException("The connection was cut.", e);
        }
    }

    /// <summary>Waits until something has come, asking into the silence.</summary>
    private async Task ListenAsync(Task receiving, CancellationToken cancellationToken)
    {
        for (var silence = TimeSpan.Zero; !await ArrivedAsync(receiving, cancellationToken);)
        {
            silence += Quiet;
            if (silence >= (hasBegun ? ResumedEvents.LongestSilence : LongestStart)) throw new IOException($"Nothing has come for {silence.TotalSeconds:0} s.");
            await SendAsync(Ping, cancellationToken);
        }
    }

    /// <summary>False when nothing came for a while.</summary>
    private async ValueTask<bool> ArrivedAsync(Task receiving, CancellationToken cancellationToken)
    {
        if (receiving.IsCompleted) return true;
        using var arrived = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var first = await Task.WhenAny(receiving, Task.Delay(Quiet, time, arrived.Token));
        await arrived.CancelAsync();
        return first == receiving || receiving.IsCompleted;
    }

    private static Exception Closed(int code, string? reason) => code switch
    {
        4400 => new CoordinatorException(400, "protocol_error", reason ?? "The host did not understand what was sent."),
        4401 => new CoordinatorException(401, "credential_invalid", reason ?? "This credential is not valid any more."),
        4404 => new CoordinatorException(404, "session_not_found", reason ?? "There is no such session."),
        4410 => new CoordinatorException(410, "cursor_invalid", reason ?? "The cursor is not one of this session's present history; load the session anew."),
        _ => new IOException($"The host closed the connection with {code}: {reason}"),
    };
}
