using System.Net;
using System.Net.Sockets;

namespace Coordinator.Sandbox.Shim;

/// <summary>
/// What the box's program offers on loopback: the model route, the egress proxy and git's credentials. A bounded number
/// of connections are served at once; what a broken client does ends its own connection and nothing else.
/// </summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private const int MaxConnections = 512;
    private const string ModelPrefix = "/model/v1/";
    private static readonly TimeSpan HeadTimeout = TimeSpan.FromSeconds(30);

    private readonly ModelRoute models;
    private readonly EgressProxy proxy;
    private readonly CredentialRoute credentials;
    private readonly TimeProvider time;
    private readonly BoxLog log;
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly SemaphoreSlim places = new(MaxConnections, MaxConnections);
    private readonly CancellationTokenSource ending = new();
    private readonly Task accepting;

    /// <summary>Listens from now on.</summary>
    public LoopbackServer(ModelRoute models, EgressProxy proxy, CredentialRoute credentials, TimeProvider time, BoxLog log)
    {
        this.models = models;
        this.proxy = proxy;
        this.credentials = credentials;
        this.time = time;
        this.log = log;
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(MaxConnections);
        Port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        accepting = AcceptAsync(ending.Token);
    }

    public int Port { get; }

    /// <summary>Where the agent finds its models.</summary>
    public Uri ModelBaseUrl => new($"http://127.0.0.1:{Port}/model/v1");

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        listener.Dispose();
        await accepting;
        for (var i = 0; i < MaxConnections; i++) await places.WaitAsync();
        places.Dispose();
        ending.Dispose();
    }

    private async Task AcceptAsync(CancellationToken cancellationToken)
    {
        while (await TryTakePlaceAsync(cancellationToken))
        {
            try
            {
                _ = ServeAsync(await listener.AcceptAsync(cancellationToken), cancellationToken);
            }
            catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
            {
                places.Release();
                return;
            }
            catch (SocketException exception)
            {
                places.Release();
                log.Failed("a connection was not accepted", exception);
            }
        }
    }

    private async Task<bool> TryTakePlaceAsync(CancellationToken cancellationToken)
    {
        try
        {
            await places.WaitAsync(cancellationToken);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Owns its connection to the end and lets nothing out, but gives its place back, for which the server waits when it ends.</summary>
    private async Task ServeAsync(Socket socket, CancellationToken cancellationToken)
    {
        socket.NoDelay = true;
        using var client = new ClientConnection(socket);
        try
        {
            if (await ReadHeadAsync(client, cancellationToken) is { } head) await RouteAsync(client, head, cancellationToken);
            else await client.AnswerAsync(400, "Bad Request", "text/plain", "This is no HTTP/1.1 request.\n", cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client hung up, or the box ends.
            return;
        }
        catch (Exception exception)
        {
            log.Failed("a request on loopback failed", exception);
            client.Abort();
        }
        finally
        {
            places.Release();
        }
    }

    private async Task<RequestHead?> ReadHeadAsync(ClientConnection client, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(HeadTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        return await client.ReadHeadAsync(either.Token);
    }

    private async Task RouteAsync(ClientConnection client, RequestHead head, CancellationToken cancellationToken)
    {
        if (head.Method == "CONNECT" || !head.Target.StartsWith('/')) await proxy.ServeAsync(client, head, cancellationToken);
        else if (head.Target.StartsWith(ModelPrefix, StringComparison.Ordinal)) await models.ServeAsync(client, head, cancellationToken);
        else if (head.Target.StartsWith(CredentialRoute.Path, StringComparison.Ordinal)) await credentials.ServeAsync(client, head, cancellationToken);
        else await client.AnswerAsync(404, "Not Found", "text/plain", "Nothing is here.\n", cancellationToken);
    }
}
