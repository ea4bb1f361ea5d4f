using System.Threading.Channels;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.SessionAccess.Bridge;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Sandbox.Bridge;
using HostFrame = Coordinator.Ports.Session.HostFrame;

namespace Coordinator.Tests.WalkingSkeleton.World;

/// <summary>
/// The bridge without a network: the token is proved to the session as at the real door, and every frame goes through
/// the real writers and readers of both sides.
/// </summary>
internal sealed class InMemoryDialer(Func<ISessionHost> host, BoxBriefings briefings, string token) : IBridgeDialer
{
    private InMemorySocket? current;
    private volatile bool isCut;
    private int opened;

    /// <summary>How often it got through.</summary>
    public int Opened => Volatile.Read(ref opened);

    /// <summary>The box's network is gone for good.</summary>
    public void Cut()
    {
        isCut = true;
        current?.Break();
    }

    /// <summary>The present connection breaks; the box may dial again.</summary>
    public void Drop() => current?.Break();

    public async ValueTask<DialResult> DialAsync(CancellationToken cancellationToken)
    {
        if (isCut) return new DialResult.Unreachable("the network is gone");
        if (!BoxToken.TryParse(token, out var claim)) return new DialResult.Refused(401);
        try
        {
            var reached = host();
            var answer = await reached.AuthorizeBoxAsync(claim.Key, claim.Credential, cancellationToken);
            if (answer.Problem is { } problem) return new DialResult.Refused(StatusOf(problem.Kind));
            current = new InMemorySocket(reached, briefings, claim);
            Interlocked.Increment(ref opened);
            return new DialResult.Open(current);
        }
        catch (PortException)
        {
            return new DialResult.Refused(503);
        }
    }

    private static int StatusOf(ProblemKind kind) => kind switch
    {
        ProblemKind.Unauthenticated => 401,
        ProblemKind.Gone => 410,
        _ => 503,
    };
}

/// <summary>One connection of a box: its socket on one side, the session's sink on the other.</summary>
internal sealed class InMemorySocket(ISessionHost host, BoxBriefings briefings, BoxToken claim) : IBridgeSocket, IBridgeSink
{
    private const int MaxWaiting = 256;

    private readonly Channel<(HostFrame? Frame, int Code)> inbox = Channel.CreateBounded<(HostFrame? Frame, int Code)>(MaxWaiting);
    private IBridgeLink? link;
    private volatile bool isBroken;

    public int? CloseCode { get; private set; }

    public void Break()
    {
        isBroken = true;
        inbox.Writer.TryComplete();
    }

    public async ValueTask SendAsync(ReadOnlyMemory<byte> frame, CancellationToken cancellationToken)
    {
        if (isBroken) throw new IOException("The connection broke.");
        try
        {
            if (link is { } joined) await joined.PostAsync(BoxFrameReader.Read(frame.Span), cancellationToken);
            else await AttachAsync(HelloReader.Read(frame.Span), cancellationToken);
        }
        catch (FrameException)
        {
            Close(LinkCloseReason.ProtocolError, "");
        }
        catch (PortException failure)
        {
            throw new IOException("The host gave the connection up.", failure);
        }
    }

    public async ValueTask<ReadOnlyMemory<byte>?> ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            var (frame, code) = await inbox.Reader.ReadAsync(cancellationToken);
            if (frame is not null) return HostFrameWriter.Write(frame, await briefings.ForAsync(claim.Key, frame, null, cancellationToken));
            CloseCode = code;
            return null;
        }
        catch (Exception failure) when (failure is ChannelClosedException or PortException)
        {
            throw new IOException("The connection broke.", failure);
        }
    }

    public ValueTask CloseAsync(int code, string reason, CancellationToken cancellationToken)
    {
        Break();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        Break();
        if (link is { } joined) await joined.DisposeAsync();
    }

    public void Send(HostFrame frame) => inbox.Writer.TryWrite((frame, 0));

    public void Close(LinkCloseReason reason, string detail) => inbox.Writer.TryWrite((null, BridgeOutbox.CodeOf(reason)));

    private async ValueTask AttachAsync(BridgeHello hello, CancellationToken cancellationToken)
    {
        var attached = await host.AttachBridgeAsync(claim.Key, claim.Credential, hello, this, cancellationToken);
        if (attached.IsSuccess) link = attached.Value;
        else Close(LinkCloseReason.NotWanted, attached.Problem.Detail);
    }
}
