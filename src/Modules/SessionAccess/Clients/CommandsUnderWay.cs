using Coordinator.Modules.SessionAccess.Sockets;

namespace Coordinator.Modules.SessionAccess.Clients;

/// <summary>
/// What a client asks, from a command that has to wait until none is left: one at a time, in the order in which they came. Frames are received
/// meanwhile, so that a ping is answered at once, however long a command waits for the database: who hears nothing gives a healthy host up. A
/// few may wait; then the socket is not read until one of them has begun. An idle socket has none of this.
/// </summary>
internal sealed class CommandsUnderWay(FrameSocket socket, Func<ClientFrame, CancellationToken, Task> run)
{
    public const int MaxWaiting = 16;

    /// <summary>One more frame is received while fewer than these wait.</summary>
    public const int MaxWaitingBytes = 64 * 1024;

    private readonly Queue<(ClientFrame Frame, int Bytes)> waiting = new();
    private int waitingBytes;
    /// <summary>How the socket ends once what came before has been answered.</summary>
    private SocketClose? end;

    private bool MayReceive => end is null && waiting.Count < MaxWaiting && waitingBytes < MaxWaitingBytes;

    /// <summary>Until nothing is under way; returns how the socket ends when something that came meanwhile ends it. A receive may be begun by then.</summary>
    public async Task<SocketClose?> RunAsync(Task running, CancellationToken ended)
    {
        try
        {
            while (true)
            {
                if (!running.IsCompleted && MayReceive && await Task.WhenAny(running, socket.BeginReceive()) != running)
                {
                    await TakeAsync(await socket.ReceiveAsync(), ended);
                    continue;
                }

                await running;
                ended.ThrowIfCancellationRequested();
                if (!waiting.TryDequeue(out var next)) return end;
                waitingBytes -= next.Bytes;
                running = run(next.Frame, ended);
            }
        }
        finally
        {
            await running; // a pong that was no longer wanted leaves no command behind that nobody looks after
        }
    }

    private async Task TakeAsync(ReceivedFrame received, CancellationToken ended)
    {
        if (received.Kind == FrameKind.Closed)
        {
            end = SocketClose.PeerLeft;
            return;
        }

        try
        {
            var frame = ClientConnection.Read(received);
            if (frame is ClientFrame.Ping) await run(frame, ended);
            else Keep(frame, received.Utf8.Length);
        }
        catch (FrameException failure)
        {
            end = new(SocketClose.ProtocolError, failure.Message);
        }
    }

    private void Keep(ClientFrame frame, int bytes)
    {
        waiting.Enqueue((frame, bytes));
        waitingBytes += bytes;
    }
}
