using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Coordinator.Tests.Support;

/// <summary>
/// Stands between a client and PostgreSQL and does what networks do: swallows answers, cuts connections while the server
/// goes on, and lets nobody through.
/// </summary>
public sealed class PostgresProxy : IAsyncDisposable
{
    private readonly NpgsqlConnectionStringBuilder target;
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource stopping = new();
    private readonly Lock gate = new();
    private readonly List<Socket> clients = [];
    private readonly List<Task> relays = [];
    private readonly Task accepting;
    private volatile bool swallowing;
    private volatile bool closed;

    public PostgresProxy(string connectionString)
    {
        target = new(connectionString);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var through = new NpgsqlConnectionStringBuilder(connectionString) { Host = "127.0.0.1", Port = ((IPEndPoint)listener.LocalEndPoint!).Port };
        ConnectionString = through.ConnectionString;
        accepting = AcceptAsync();
    }

    /// <summary>The same database, through here.</summary>
    public string ConnectionString { get; }

    /// <summary>From now on what the server says does not arrive.</summary>
    public void SwallowAnswers() => swallowing = true;

    /// <summary>Nobody gets through any more; those who were through are cut off.</summary>
    public void Close()
    {
        closed = true;
        Cut();
    }

    /// <summary>Cuts every client off; the server's side stays open, so its statements go on. New connections work again.</summary>
    public void Cut()
    {
        swallowing = false;
        lock (gate)
        {
            foreach (var client in clients) client.Close();
            clients.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Close();
        await stopping.CancelAsync();
        listener.Dispose();
        await accepting;
        await Task.WhenAll(relays);
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!stopping.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await listener.AcceptAsync(stopping.Token);
            }
            catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }

            if (closed) client.Close();
            else relays.Add(RelayAsync(client));
        }
    }

    private async Task RelayAsync(Socket client)
    {
        using var server = await ConnectAsync();
        lock (gate) clients.Add(client);
        await Task.WhenAll(PumpAsync(client, server, fromServer: false), PumpAsync(server, client, fromServer: true));
    }

    private async Task<Socket> ConnectAsync()
    {
        var (family, endPoint) = target.Host!.StartsWith('/')
            ? (AddressFamily.Unix, (EndPoint)new UnixDomainSocketEndPoint($"{target.Host}/.s.PGSQL.{target.Port}"))
            : (AddressFamily.InterNetwork, new DnsEndPoint(target.Host, target.Port));
        var socket = new Socket(family, SocketType.Stream, family == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        await socket.ConnectAsync(endPoint, stopping.Token);
        return socket;
    }

    /// <summary>Until either end is gone. The server's socket is closed with the proxy only: a cut client is nothing it hears of.</summary>
    private async Task PumpAsync(Socket from, Socket to, bool fromServer)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, stopping.Token) is > 0 and var count)
            {
                if (!(fromServer && swallowing)) await to.SendAsync(buffer.AsMemory(0, count), stopping.Token);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Cut, or the test is over.
        }
    }
}
