using System.Net.Sockets;
using Coordinator.Tests.Support;
using Npgsql;

namespace Coordinator.Tests.Cluster.World;

/// <summary>
/// A way to the database on which the fence of the journal's append is cut out of the statement: whoever writes through it
/// writes at whatever epoch and version. It shows that the tests of the fence would notice if there were none.
/// </summary>
internal sealed class FencelessDatabase : IAsyncDisposable
{
    /// <summary>Of an append among others, and of one alone.</summary>
    private static readonly byte[][] Fences = ["h.epoch = w.epoch AND h.version = w.expected"u8.ToArray(), "epoch = $4 AND version = $5"u8.ToArray()];

    private readonly NpgsqlConnectionStringBuilder target;
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource stopping = new();
    private readonly Lock gate = new();
    private readonly List<Task> serving = [];
    private readonly Task accepting;
    private readonly int[] cut = new int[Fences.Length];

    public FencelessDatabase(string connectionString)
    {
        target = new(connectionString);
        listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        listener.Listen();
        var own = (System.Net.IPEndPoint)listener.LocalEndPoint!;
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString) { Host = own.Address.ToString(), Port = own.Port }.ConnectionString;
        accepting = AcceptAsync();
    }

    /// <summary>The same database, without the fence.</summary>
    public string ConnectionString { get; }

    /// <summary>True when each kind of statement had its fence cut out.</summary>
    public bool IsCutOutOfAll => Enumerable.Range(0, Fences.Length).All(kind => Volatile.Read(ref cut[kind]) > 0);

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Dispose();
        await accepting;
        Task[] left;
        lock (gate) left = [.. serving];
        await Task.WhenAll(left);
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                var client = await listener.AcceptAsync(stopping.Token);
                lock (gate) serving.Add(ServeAsync(client));
            }
            catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using (client)
        {
            var end = PostgresBehindProxy.EndPointOf(target);
            using var server = new Socket(end.AddressFamily is AddressFamily.Unspecified ? AddressFamily.InterNetwork : end.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
            using var over = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
            try
            {
                await server.ConnectAsync(end, over.Token);
                await Task.WhenAny(PumpAsync(client, server, CutOut, over.Token), PumpAsync(server, client, static data => data.Length, over.Token));
            }
            catch (Exception ended) when (ended is SocketException or OperationCanceledException)
            {
                // The server is gone, or nobody is to come to it any more: the client's socket closes too.
            }

            await over.CancelAsync();
        }
    }

    /// <summary>Passes on what <paramref name="look"/> says may go, and keeps the rest until more has come.</summary>
    private static async Task PumpAsync(Socket from, Socket to, Func<Memory<byte>, int> look, CancellationToken cancellationToken)
    {
        var buffer = new byte[256 * 1024];
        var held = 0;
        try
        {
            while (await from.ReceiveAsync(buffer.AsMemory(held), cancellationToken) is > 0 and var count)
            {
                var data = buffer.AsMemory(0, held + count);
                var pass = look(data);
                for (var rest = data[..pass]; rest.Length > 0;) rest = rest[await to.SendAsync(rest, cancellationToken)..];
                data[pass..].CopyTo(buffer);
                held = data.Length - pass;
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One end is gone; the other is closed by whoever started this.
        }
    }

    /// <summary>Cuts the fence out; holds back an end that may be the beginning of one.</summary>
    private int CutOut(Memory<byte> data)
    {
        for (var kind = 0; kind < Fences.Length; kind++)
        {
            var fence = Fences[kind];
            for (var at = data.Span.IndexOf(fence); at >= 0; at = data.Span.IndexOf(fence))
            {
                data.Span.Slice(at, fence.Length).Fill((byte)' ');
                "true"u8.CopyTo(data.Span[at..]);
                Interlocked.Increment(ref cut[kind]);
            }
        }

        return data.Length - Fences.Max(fence => Begun(data.Span, fence));
    }

    /// <summary>How much of the end may be the beginning of a fence.</summary>
    private static int Begun(ReadOnlySpan<byte> data, byte[] fence)
    {
        for (var length = Math.Min(fence.Length - 1, data.Length); length > 0; length--)
            if (data[^length..].SequenceEqual(fence.AsSpan(0, length))) return length;
        return 0;
    }
}
