using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;

namespace Coordinator.Modules.SessionAccess.Bridge;

/// <summary>
/// One bridge socket, from hello to close. Frames are handed to the session one at a time: while it does not take one the
/// socket is not read, and that is what holds a box back.
/// </summary>
internal sealed partial class BridgeConnection(
    ISessionHost sessions,
    BoxBriefings briefings,
    FrameSocket socket,
    SessionKey key,
    BoxCredential credential,
    TimeProvider time,
    ILogger<BridgeConnection> logger)
{
    public static readonly TimeSpan HelloTimeout = TimeSpan.FromSeconds(10);

    private const int Protocol = 1;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var outbox = new BridgeOutbox(socket, briefings, key);
        if (await AttachAsync(outbox, cancellationToken) is not { } link) return;
        await using (link)
        {
            LogAttached(logger, key.Session, credential.Sandbox, credential.Generation);
            await new SocketDuties(socket, logger).RunAsync(ended => ReceiveAsync(link, ended), outbox.SendAllAsync);
        }
    }

    private async Task<IBridgeLink?> AttachAsync(BridgeOutbox outbox, CancellationToken cancellationToken)
    {
        try
        {
            if (await HelloAsync() is not { } hello) return null;
            if (hello.MinProtocol > Protocol || hello.MaxProtocol < Protocol) throw new FrameException($"This host speaks protocol {Protocol}.");
            if (hello.Sandbox != credential.Sandbox || hello.Generation != credential.Generation) throw new FrameException("The token is another box's.");
            var link = await sessions.AttachBridgeAsync(key, credential, hello, outbox, cancellationToken);
            if (link.IsSuccess) return link.Value;
            await socket.FarewellAsync(new(CodeOf(link.Problem), link.Problem.Detail));
        }
        catch (FrameException failure)
        {
            await socket.FarewellAsync(new(SocketClose.ProtocolError, failure.Message));
        }
        catch (PortException failure)
        {
            var level = failure.ToLogLevel();
            LogAttachFailed(logger, level, failure.Kind, failure);
            await socket.FarewellAsync(new(SocketClose.Restarting, "The session cannot be reached for the moment; reconnect."));
        }

        return null;
    }

    private async Task<BridgeHello?> HelloAsync()
    {
        var receiving = socket.ReceiveAsync().AsTask();
        using var timeout = new CancellationTokenSource();
        var first = await Task.WhenAny(receiving, Task.Delay(HelloTimeout, time, timeout.Token));
        await timeout.CancelAsync();
        if (first == receiving)
        {
            var frame = await receiving;
            return frame.Kind == FrameKind.Closed ? null : HelloReader.Read(TextOf(frame));
        }

        await socket.FarewellAsync(new(SocketClose.ProtocolError, "'hello' did not come in 10 seconds."), receiving);
        return null;
    }

    private async Task<SocketClose> ReceiveAsync(IBridgeLink link, CancellationToken ended)
    {
        while (true)
        {
            var received = await socket.ReceiveAsync();
            if (received.Kind == FrameKind.Closed) return SocketClose.PeerLeft;
            if (ended.IsCancellationRequested) continue;
            try
            {
                var frame = BoxFrameReader.Read(TextOf(received));
                if (frame is BoxFrame.Event { Kind: BoxFrameReader.UnusableKind } unusable) LogUnusable(logger, key.Session, unusable.N);
                await link.PostAsync(frame, ended);
            }
            catch (FrameException failure)
            {
                return new(SocketClose.ProtocolError, failure.Message);
            }
        }
    }

    private static ReadOnlySpan<byte> TextOf(ReceivedFrame frame) => frame.Kind switch
    {
        FrameKind.Text => frame.Utf8.Span,
        FrameKind.TooLarge => throw new FrameException("A frame is at most 256 KiB."),
        _ => throw new FrameException("Frames are text."),
    };

    private static int CodeOf(Problem problem) => problem.Kind switch
    {
        ProblemKind.Unavailable or ProblemKind.TooMany => SocketClose.Failed,
        ProblemKind.Malformed or ProblemKind.Unprocessable => SocketClose.ProtocolError,
        _ => SocketClose.Gone,
    };

    [LoggerMessage(EventId = 2221, Level = LogLevel.Information, Message = "{Session}: box {Sandbox}, generation {Generation}, is connected.")]
    private static partial void LogAttached(ILogger logger, SessionId session, SandboxId sandbox, int generation);

    [LoggerMessage(EventId = 2222, Message = "A box could not be attached: something behind a port is {Kind}.")]
    private static partial void LogAttachFailed(ILogger logger, LogLevel level, PortFailureKind kind, Exception failure);

    [LoggerMessage(EventId = 2223, Level = LogLevel.Warning, Message = "{Session}: event {N} of the box is too large or no object; it is acknowledged and not shown.")]
    private static partial void LogUnusable(ILogger logger, SessionId session, long n);
}
