using System.Globalization;
using System.Net.WebSockets;
using System.Text.Json;
using System.Threading.Channels;
using Coordinator.Ports;
using Coordinator.Ports.Compute.DataPlane;
using Coordinator.Ports.Session;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Adapters.InProcess.Cluster;

/// <summary>What a host does for its peers. Whoever does not hold the master key gets 401 and learns nothing.</summary>
internal sealed class PeerEndpoints(ClusterSessionHost host, PeerSigner signer, TimeProvider time, ClusterLog log)
{
    private const int LargestBody = 1024 * 1024;
    private const int MostFramesToBox = 4_096;

    /// <summary>For the first thing that is said on a box's way, which alone says who says it. Until then it may be anybody.</summary>
    private static readonly TimeSpan LongestIntroduction = TimeSpan.FromSeconds(10);

    /// <summary>For the body of a request, for the same reason.</summary>
    private static readonly TimeSpan LongestSaying = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestGoodbye = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(20);

    public Task CallAsync(HttpContext context) => AnswerAsync<PeerCall>(context, async (call, cancellationToken) =>
    {
        if (call.Command is SessionCommand.GetView) return Box(await host.CallAsync(call.Key, call.Command, cancellationToken)); // of a release that asks the owner for it
        var done = await host.ForPeerAsync(call.Key, async here => Box(await here.CallAsync(call.Key, call.Command, cancellationToken)), cancellationToken);
        return done ?? new(Moved: true);
    });

    public Task WaitAsync(HttpContext context) => AnswerAsync<PeerWait>(context, async (wait, cancellationToken) =>
    {
        if (host.IsDraining || host.Members.Find() is not { } member) return new(Moved: true);
        var subscribed = await member.Actors.SubscribeAsync(wait.Key, null, cancellationToken);
        if (subscribed.Problem is { } problem) return new(Problem: problem);
        await using var subscription = subscribed.Value;
        if (subscription.Start.Seq > wait.AfterSeq) return new(Seq: subscription.Start.Seq);
        using var limit = new CancellationTokenSource(LongestWait, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await foreach (var batch in subscription.ReadAsync(either.Token)) return new(Seq: batch.LastSeq);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return new(Seq: wait.AfterSeq);
        }

        return new(Moved: true);
    });

    public async Task BridgeAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest || Addressed(context) is not { } member)
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        using var socket = new PeerSocket(await context.WebSockets.AcceptWebSocketAsync());
        var first = await IntroductionAsync(socket, context.RequestAborted);
        RequestSignature? signature = null;
        if ((first is null ? PeerRefusal.Unsaid : signer.Verify(member.Location.Id, context.Request.Headers.Authorization, new("GET", PeerBridges.Path, first), out signature)) is { } refusal)
        {
            log.Refused(refusal.ToPort(), context.Connection.RemoteIpAddress);
            if (refusal.Word() is not { } word) return;
            using var goodbye = new CancellationTokenSource(LongestGoodbye, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(goodbye.Token, context.RequestAborted);
            await socket.RefuseAsync(word, either.Token);
            return;
        }

        await BridgeAsync(socket, first!, answer => PeerBridges.Signed(signer, member.Location.Id, signature!.Nonce, answer), context.RequestAborted);
    }

    private async Task<byte[]?> IntroductionAsync(PeerSocket socket, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(LongestIntroduction, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await socket.ReceiveAsync(either.Token, LargestBody);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>To a peer of a newer release, while hosts are updated one after the other.</summary>
    private static PeerAnswer NotUnderstood { get; } = new(Failure: new(PortFailureKind.Unavailable, "The session's host is of another release and does not know what it is asked; nothing was done. Try again when it has been updated.", EffectMayHaveHappened: false, RetryAfter: TimeSpan.FromSeconds(5)));

    private static PeerAnswer Box(Result<SessionReply> result) => result.IsSuccess ? new(Reply: result.Value) : new(Problem: result.Problem);

    private async Task BridgeAsync(PeerSocket socket, byte[] attach, Func<PeerAnswer, byte[]> sign, CancellationToken cancellationToken)
    {
        var sink = new Sink();
        var joined = await AttachAsync(attach, sink, cancellationToken);
        try
        {
            await socket.SendAsync(sign(joined.Answer), cancellationToken);
            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            if (joined.Link is not { } link)
            {
                over.CancelAfter(LongestGoodbye);
                await socket.FinishAsync(over.Token);
                await socket.ReceiveAsync(over.Token); // the answer has to arrive before the socket goes
                return;
            }

            var writing = WriteAsync(socket, sink, over.Token);
            var reading = ReadAsync(socket, link, over.Token);
            await Task.WhenAny(writing, reading);
            over.CancelAfter(LongestGoodbye); // the last word has to arrive, and the other side to hang up
            if (reading.IsCompleted) sink.Close(LinkCloseReason.Failed, "The session's actor is starting anew.");
            await Task.WhenAll(writing, reading);
        }
        catch (Exception gone) when (gone is WebSocketException or OperationCanceledException)
        {
            // The host with the box's socket is gone; the box dials another.
        }
        finally
        {
            if (joined.Link is { } link) await link.DisposeAsync();
        }
    }

    private async Task<(IBridgeLink? Link, PeerAnswer Answer)> AttachAsync(byte[] message, Sink sink, CancellationToken cancellationToken)
    {
        try
        {
            if (Read<PeerAttach>(message) is not { } attach) return (null, NotUnderstood);
            IBridgeLink? link = null;
            var answer = await host.ForPeerAsync(
                attach.Key,
                async here =>
                {
                    var joined = await here.AttachBridgeAsync(attach.Key, attach.Credential, attach.Hello, sink, cancellationToken);
                    if (joined.Problem is { } problem) return new PeerAnswer(Problem: problem);
                    link = joined.Value;
                    return new(Reply: new SessionReply.Done());
                },
                cancellationToken);
            return (link, answer ?? new(Moved: true));
        }
        catch (PortException failure)
        {
            return (null, new(Failure: PeerFailure.Of(failure)));
        }
    }

    private static async Task WriteAsync(PeerSocket socket, Sink sink, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var down in sink.Frames.ReadAllAsync(cancellationToken)) await socket.SendAsync(PeerJson.Write(down), cancellationToken);
            await socket.FinishAsync(cancellationToken);
        }
        catch (Exception gone) when (gone is WebSocketException or OperationCanceledException)
        {
            // The other side is gone, or the reader has ended.
        }
    }

    private static async Task ReadAsync(PeerSocket socket, IBridgeLink link, CancellationToken cancellationToken)
    {
        try
        {
            while (await socket.ReceiveAsync(cancellationToken) is { } message) await link.PostAsync(PeerJson.Read<BoxFrame>(message), cancellationToken);
        }
        catch (Exception over) when (over is OperationCanceledException or PortException or JsonException)
        {
            // The actor is gone: its sink says so to the box. Or the writer has ended.
        }
    }

    private async Task AnswerAsync<T>(HttpContext context, Func<T, CancellationToken, Task<PeerAnswer>> answer)
        where T : class
    {
        if (Addressed(context) is not { } member)
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        using var body = await ReadBodyAsync(context);
        RequestSignature? signature = null;
        if ((body is null ? PeerRefusal.Unsaid : signer.Verify(member.Location.Id, context.Request.Headers.Authorization, new("POST", context.Request.Path, body.Bytes), out signature)) is { } refusal)
        {
            Refuse(context, refusal);
            return;
        }

        PeerAnswer said;
        try
        {
            said = Read<T>(body!.Bytes.Span) is { } asked ? await answer(asked, context.RequestAborted) : NotUnderstood;
        }
        catch (PortException failure)
        {
            said = new(Failure: PeerFailure.Of(failure));
        }

        var bytes = PeerJson.Write(said);
        context.Response.Headers[PeerSigner.AnswerHeader] = signer.SignAnswer(member.Location.Id, signature!.Nonce, bytes);
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    /// <summary>What a peer signed; null when this release cannot read it, which is then said in the log.</summary>
    private T? Read<T>(ReadOnlySpan<byte> message)
        where T : class
    {
        try
        {
            return PeerJson.Read<T>(message);
        }
        catch (JsonException failure)
        {
            log.NotUnderstood(failure);
            return null;
        }
    }

    /// <summary>
    /// This host, when a request names it, whose id strangers do not know, in a signature that is yet to be looked at: nothing is read for who does not.
    /// Peers ask a host that has left or registered anew until they have heard of it, so that is nothing to tell an operator.
    /// </summary>
    private Member? Addressed(HttpContext context)
    {
        var member = host.Members.Find();
        if (PeerSigner.Address(member?.Location.Id, context.Request.Headers.Authorization) is not { } refusal) return member;
        if (refusal is PeerRefusal.Elsewhere) log.Elsewhere(context.Connection.RemoteIpAddress);
        else log.Refused(refusal.ToPort(), context.Connection.RemoteIpAddress);
        return null;
    }

    private void Refuse(HttpContext context, PeerRefusal refusal)
    {
        log.Refused(refusal.ToPort(), context.Connection.RemoteIpAddress);
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        if (refusal.Word() is not { } word) return;
        context.Response.Headers[PeerRefusals.Header] = word;
        context.Response.Headers.Date = time.GetUtcNow().ToString("R", CultureInfo.InvariantCulture); // by which who asked sees how far the clocks are apart
    }

    /// <summary>Null for what cannot be a peer's, and for what does not come in time: a peer asks again, for nothing was done.</summary>
    private async Task<PeerBody?> ReadBodyAsync(HttpContext context)
    {
        if (context.Request.ContentLength is not (> 0 and <= LargestBody)) return null;
        using var limit = new CancellationTokenSource(LongestSaying, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.RequestAborted);
        try
        {
            return await PeerBody.ReadAsync(context.Request.Body, (int)context.Request.ContentLength, either.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>The way back to the box, over the host that has its socket. A box that takes nothing for so long is cut off, and reconnects.</summary>
    private sealed class Sink : IBridgeSink
    {
        private readonly Channel<PeerBridgeDown> frames = Channel.CreateBounded<PeerBridgeDown>(MostFramesToBox);

        public ChannelReader<PeerBridgeDown> Frames => frames.Reader;

        public void Send(HostFrame frame)
        {
            if (!frames.Writer.TryWrite(new(Frame: frame))) frames.Writer.TryComplete();
        }

        public void Close(LinkCloseReason reason, string detail)
        {
            frames.Writer.TryWrite(new(Close: reason, Detail: detail));
            frames.Writer.TryComplete();
        }
    }
}
