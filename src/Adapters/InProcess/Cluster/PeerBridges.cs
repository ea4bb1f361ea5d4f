using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess.Cluster;

/// <summary>
/// A box whose socket is on this host and whose session is on another: one socket between the two hosts for each. What is
/// said first is signed both ways, over the request that opened it.
/// </summary>
internal sealed class PeerBridges(PeerSigner signer, PeerVigil vigil, ClusterOptions options, TimeProvider time) : IDisposable
{
    public const string Path = "/cluster/v1/bridges";

    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<Link, byte> open = new();
    private volatile bool closed;
    private readonly HttpMessageInvoker http = new(new SocketsHttpHandler { UseCookies = false, UseProxy = false, ConnectCallback = DialedConnection.ToHostAsync, ConnectTimeout = TimeSpan.FromSeconds(2) });

    /// <exception cref="PeerUnreachableException">The host cannot be reached, or has died; a box that it joined all the same dials anew.</exception>
    /// <exception cref="PeerRefusedException">It does not believe this host; nothing was done.</exception>
    /// <exception cref="PeerMovedException">The host does not have the session.</exception>
    public async ValueTask<Result<IBridgeLink>> AttachAsync(HostLocation peer, PeerAttach attach, IBridgeSink sink, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(options.PeerTimeout, time);
        PeerVigil.Kept? watched = vigil.Keep(peer.Id);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, watched.Dead, cancellationToken);
        var first = PeerJson.Write(attach);
        var signature = signer.Sign(peer.Id, new("GET", Path, first));
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", signature.ToString());
        (socket.Options.KeepAliveInterval, socket.Options.KeepAliveTimeout) = (KeepAlive, 3 * KeepAlive);
        PeerSocket? connection = null;
        try
        {
            await socket.ConnectAsync(new UriBuilder(new Uri(peer.Address, Path)) { Scheme = peer.Address.Scheme == Uri.UriSchemeHttps ? "wss" : "ws" }.Uri, http, either.Token);
            connection = new(socket);
            await connection.SendAsync(first, either.Token);
            var said = await connection.ReceiveAsync(either.Token);
            if (said is null && PeerRefusals.Read(peer, connection.WhyClosed, ahead: null) is { } refused) throw refused;
            var answer = ReadSigned(peer.Id, signature.Nonce, said);
            if (answer.Moved) throw new PeerMovedException();
            if (answer.Failure is { } failure) throw failure.ToException();
            if (answer.Problem is { } problem) return problem;
            var link = new Link(this, connection, sink, watched);
            (connection, watched) = (null, null);
            return link;
        }
        catch (WebSocketException failure)
        {
            throw new PeerUnreachableException(peer, failure);
        }
        catch (OperationCanceledException failure) when (watched is { Dead.IsCancellationRequested: true })
        {
            throw new PeerUnreachableException(peer, failure);
        }
        catch (OperationCanceledException failure) when (limit.IsCancellationRequested)
        {
            throw new PortException(PortFailureKind.Timeout, $"Host {peer.Id} did not answer in time.", inner: failure);
        }
        finally
        {
            connection?.Dispose();
            watched?.Dispose();
        }
    }

    /// <summary>Sends every box whose socket is here to another host.</summary>
    public void CloseAll()
    {
        foreach (var link in open.Keys) link.Close();
    }

    /// <summary>As <see cref="CloseAll"/>, and from here on each that still comes.</summary>
    public void End()
    {
        closed = true;
        CloseAll();
    }

    public void Dispose() => http.Dispose();

    /// <summary>The answer's signature, a line, and the answer.</summary>
    public static byte[] Signed(PeerSigner signer, HostId self, string nonce, PeerAnswer answer)
    {
        var body = PeerJson.Write(answer);
        return [.. Encoding.ASCII.GetBytes(signer.SignAnswer(self, nonce, body)), (byte)'\n', .. body];
    }

    private PeerAnswer ReadSigned(HostId peer, string nonce, byte[]? message)
    {
        var line = message is null ? -1 : Array.IndexOf(message, (byte)'\n');
        if (line < 0) return new(Moved: true); // it refused the request: it lives under another id by now
        if (!signer.IsAnswerOf(peer, nonce, message.AsSpan(line + 1), Encoding.ASCII.GetString(message!, 0, line)))
            throw new PortException(PortFailureKind.Unavailable, $"The answer of host {peer} is not its own.");
        return PeerJson.Read<PeerAnswer>(message.AsSpan(line + 1));
    }

    private sealed class Link : IBridgeLink
    {
        private readonly PeerBridges owner;
        private readonly PeerSocket socket;
        private readonly IBridgeSink sink;
        private readonly PeerVigil.Kept vigil;
        private readonly CancellationTokenSource leaving = new();
        private readonly CancellationTokenSource over;
        private readonly Task reading;
        private int left;

        public Link(PeerBridges owner, PeerSocket socket, IBridgeSink sink, PeerVigil.Kept vigil)
        {
            (this.owner, this.socket, this.sink, this.vigil) = (owner, socket, sink, vigil);
            over = CancellationTokenSource.CreateLinkedTokenSource(leaving.Token, vigil.Dead);
            owner.open.TryAdd(this, 0);
            reading = Task.Run(ReadAsync);
            if (owner.closed) Close();
        }

        public void Close() => sink.Close(LinkCloseReason.HostRestarting, "The host is stopping; reconnect.");

        public async ValueTask PostAsync(BoxFrame frame, CancellationToken cancellationToken)
        {
            try
            {
                await socket.SendAsync(PeerJson.Write(frame), cancellationToken);
            }
            catch (WebSocketException gone)
            {
                throw new PortException(PortFailureKind.Unavailable, "The session's actor is starting anew; reconnect.", inner: gone);
            }
        }

        public async ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref left, 1) != 0) return;
            owner.open.TryRemove(this, out _);
            await leaving.CancelAsync();
            await reading;
            socket.Dispose();
            over.Dispose();
            vigil.Dispose();
            leaving.Dispose();
        }

        private async Task ReadAsync()
        {
            try
            {
                while (await socket.ReceiveAsync(over.Token) is { } message)
                {
                    var down = PeerJson.Read<PeerBridgeDown>(message);
                    if (down.Frame is { } frame) sink.Send(frame);
                    if (down.Close is not { } reason) continue;
                    sink.Close(reason, down.Detail ?? string.Empty);
                    return;
                }

                sink.Close(LinkCloseReason.HostRestarting, "The session's host is gone; reconnect.");
            }
            catch (OperationCanceledException)
            {
                // Nobody is left to hear it when the box's socket is gone first.
                if (!leaving.IsCancellationRequested) sink.Close(LinkCloseReason.HostRestarting, "The session's host hangs; reconnect.");
            }
            catch (JsonException)
            {
                sink.Close(LinkCloseReason.Failed, "The session's host said something that cannot be read.");
            }
        }
    }
}
