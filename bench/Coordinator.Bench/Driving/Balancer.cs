using System.Net;
using System.Net.Sockets;

namespace Coordinator.Bench.Driving;

/// <summary>
/// What stands before several hosts: takes each connection to one that is ready, as <c>GET /health/ready</c> says, which it asks four times a
/// second. It has an address for each host, behind which that one comes first and the others in turn, so that a scenario says who is where.
/// </summary>
internal sealed class Balancer : IAsyncDisposable
{
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private readonly IReadOnlyList<Uri> hosts;
    private readonly bool[] ready;
    private readonly TcpListener[] listeners;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource ended = new();
    private readonly HttpClient http = new(new SocketsHttpHandler());
    private readonly Task running;

    public Balancer(IReadOnlyList<Uri> hosts, TimeProvider time)
    {
        (this.hosts, this.time) = (hosts, time);
        ready = [.. hosts.Select(_ => true)];
        listeners = [.. hosts.Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        foreach (var listener in listeners) listener.Start(512);
        running = Task.WhenAll([.. hosts.Select((_, host) => AcceptAsync(host)), .. hosts.Select((_, host) => WatchAsync(host))]);
    }

    /// <summary>The address behind which this host comes first.</summary>
    public Uri Before(int host) => new($"http://{listeners[host].LocalEndpoint}");

    /// <summary>Until it takes every host for ready: whoever connects then is where it should be.</summary>
    public async Task AllReadyAsync(CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(Bound, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        while (!hosts.Select((_, host) => Volatile.Read(ref ready[host])).All(one => one)) await Task.Delay(AskEvery, time, either.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await running;
        foreach (var listener in listeners) listener.Dispose();
        http.Dispose();
        ended.Dispose();
    }

    private async Task AcceptAsync(int first)
    {
        while (!ended.IsCancellationRequested)
        {
            try
            {
                _ = PassAsync(await listeners[first].AcceptTcpClientAsync(ended.Token), first); // it ends with either of its ends, and never fails
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task PassAsync(TcpClient client, int first)
    {
        using (client)
        {
            if (await ConnectAsync(first) is not { } host) return;
            using (host)
            {
                client.NoDelay = true;
                await Task.WhenAny(CopyAsync(client, host), CopyAsync(host, client));
            }
        }
    }

    /// <summary>To the first that is ready and takes it; null when none does.</summary>
    private async Task<TcpClient?> ConnectAsync(int first)
    {
        for (var next = 0; next < hosts.Count; next++)
        {
            var host = (first + next) % hosts.Count;
            if (!Volatile.Read(ref ready[host])) continue;
            var connection = new TcpClient { NoDelay = true };
            try
            {
                await connection.ConnectAsync(IPAddress.Loopback, hosts[host].Port, ended.Token);
                return connection;
            }
            catch (Exception refused) when (refused is SocketException or OperationCanceledException)
            {
                connection.Dispose();
            }
        }

        return null;
    }

    private async Task CopyAsync(TcpClient from, TcpClient to)
    {
        try
        {
            await from.GetStream().CopyToAsync(to.GetStream(), ended.Token);
        }
        catch (Exception over) when (over is IOException or SocketException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            return; // whoever is at the other end is told by the end of its connection
        }
    }

    private async Task WatchAsync(int host)
    {
        while (!ended.IsCancellationRequested)
        {
            Volatile.Write(ref ready[host], await IsReadyAsync(host));
            await Task.Delay(AskEvery, time, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> IsReadyAsync(int host)
    {
        using var late = new CancellationTokenSource(AnswerWithin, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ended.Token);
        try
        {
            using var answer = await http.GetAsync(new Uri(hosts[host], "/health/ready"), either.Token);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }
}
