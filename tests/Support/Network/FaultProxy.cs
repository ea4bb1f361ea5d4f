using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Coordinator.Tests.Support.Network;

/// <summary>
/// Stands between a client and a TCP server, or one behind a unix socket, and does what networks do. A fault is set with one call, holds for what
/// happens from then on, in the direction that it names, and ends with <see cref="Heal"/>.
/// </summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private volatile EndPoint target;
    private readonly Socket listener;
    private readonly CancellationTokenSource stopping = new();
    private readonly Lock gate = new();
    private readonly List<ProxiedConnection> open = [];
    private readonly List<Task> serving = [];
    private readonly EndPoint local;
    private readonly Task accepting;
    private volatile NetworkFault fault = NetworkFault.None;
    private int accepted;
    private int shown;

    public FaultProxy(EndPoint target)
        : this(target, new IPEndPoint(IPAddress.Loopback, 0))
    {
    }

    /// <summary>Where clients find it is said: a port of this machine, or the path of a unix socket.</summary>
    public FaultProxy(EndPoint target, EndPoint at)
    {
        this.target = target;
        listener = NewSocket(at);
        listener.Bind(at);
        listener.Listen();
        local = listener.LocalEndPoint!;
        accepting = AcceptAsync();
    }

    /// <summary>Before an HTTP server.</summary>
    public FaultProxy(Uri server)
        : this(At(server))
    {
    }

    /// <summary>Where clients connect, unless it is behind a unix socket.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)local;

    /// <summary>The same as an HTTP address.</summary>
    public Uri Url => new($"http://{EndPoint}");

    /// <summary>Connections that clients made so far, those refused included.</summary>
    public int Accepted => Volatile.Read(ref accepted);

    /// <summary>Connections that are open now.</summary>
    public int Open
    {
        get
        {
            lock (gate) return open.Count;
        }
    }

    /// <summary>How often a fault was really done to somebody: a connection refused or cut, a piece of data held up, lost or changed.</summary>
    public int Shown => Volatile.Read(ref shown);

    /// <summary>Each piece of data waits this long before it goes on, in both directions.</summary>
    public void Delay(TimeSpan delay, TimeProvider? time = null) => fault = new NetworkFault.Delayed(delay, time ?? TimeProvider.System);

    /// <summary>What goes to a client goes a byte at a time, each after this time.</summary>
    public void Drip(TimeSpan each, TimeProvider? time = null) => fault = new NetworkFault.Dripped(each, time ?? TimeProvider.System);

    /// <summary>
    /// A connection is cut once so many bytes went in this direction on it, counted from now. 0 with
    /// <see cref="Direction.ToClient"/>: the request arrives and its answer is lost.
    /// </summary>
    public void CutAfter(long bytes, Direction direction) => Set(new NetworkFault.CutAfter(bytes, direction));

    /// <summary>What a client sends with this text in it arrives, and instead of an answer its connection is cut.</summary>
    public void LoseAnswerTo(string text) => Set(new NetworkFault.AnswerLost(Encoding.UTF8.GetBytes(text)));

    /// <summary>Nothing arrives in this direction any more, and nobody is told; connections stay open.</summary>
    public void BlackHole(Direction direction) => fault = new NetworkFault.BlackHole(direction);

    /// <summary>One bit of each piece of data in this direction flips: in its last byte, or where it is said.</summary>
    public void Corrupt(Direction direction, Index? at = null) => fault = new NetworkFault.Corrupt(direction, at ?? ^1);

    /// <summary>What a client sends arrives a second time, on another connection, before it is answered.</summary>
    public void Duplicate() => fault = NetworkFault.Duplicated.Instance;

    /// <summary>The server is another one from now on; who is connected to the old one is cut off.</summary>
    public void MoveTo(Uri server)
    {
        target = At(server);
        Cut();
    }

    /// <summary>New connections go to this server; those that are open stay where they are, as with a load balancer that has taken a server out.</summary>
    public void LeadTo(Uri server) => target = At(server);

    /// <summary>New connections are closed at once and those that are open are cut, as when nobody listens. How many were cut.</summary>
    public int Refuse()
    {
        fault = NetworkFault.Refused.Instance;
        return Cut();
    }

    /// <summary>The network is well again. What was lost stays lost: a connection that lost something is cut.</summary>
    public void Heal()
    {
        fault = NetworkFault.None;
        lock (gate)
        {
            foreach (var connection in open.Where(connection => connection.HasLost)) connection.Cut();
        }
    }

    /// <summary>Cuts every open connection, at both ends. How many there were.</summary>
    public int Cut()
    {
        lock (gate)
        {
            foreach (var connection in open) connection.Cut();
            return open.Count;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Dispose();
        Cut();
        await accepting;
        await Task.WhenAll(serving);
        stopping.Dispose();
    }

    private static DnsEndPoint At(Uri server) => new(server.Host, server.Port, AddressFamily.InterNetwork);

    private void Set(NetworkFault next)
    {
        lock (gate)
        {
            foreach (var connection in open) connection.CountAnew();
            fault = next;
        }
    }

    private void Refuse(Socket client)
    {
        client.Close(0);
        Interlocked.Increment(ref shown);
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                var client = await listener.AcceptAsync(stopping.Token);
                Interlocked.Increment(ref accepted);
                if (fault is NetworkFault.Refused) Refuse(client);
                else serving.Add(ServeAsync(client));
            }
            catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        var to = target;
        var server = NewSocket(to);
        using var connection = new ProxiedConnection(client, server, () => fault, () => Interlocked.Increment(ref shown), SendAgainAsync);
        lock (gate) open.Add(connection);
        try
        {
            await server.ConnectAsync(to, stopping.Token);
            await connection.PumpAsync(stopping.Token);
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The server is not there, or the test is over: the client sees its connection close.
            connection.Cut();
        }
        finally
        {
            lock (gate) open.Remove(connection);
        }
    }

    private static Socket NewSocket(EndPoint of) => new(of.AddressFamily is AddressFamily.Unspecified ? AddressFamily.InterNetwork : of.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);

    /// <summary>Sends the server what it was sent already, and waits until it has begun to answer.</summary>
    private async Task SendAgainAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var to = target;
        using var again = NewSocket(to);
        await again.ConnectAsync(to, cancellationToken);
        await ProxiedConnection.SendAsync(data, again, cancellationToken);
        await again.ReceiveAsync(new byte[1], cancellationToken);
    }
}
