using System.Net;
using System.Net.Sockets;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Network;
using Xunit;

namespace Coordinator.Tests.Modules.Network;

/// <summary>The faulty network of other tests does what it says, and nothing else.</summary>
public sealed class FaultProxyTests : IAsyncLifetime
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    private readonly Socket server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly FaultProxy proxy;
    private readonly TcpClient client = new();

    public FaultProxyTests()
    {
        server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        server.Listen();
        proxy = new(server.LocalEndPoint!);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        client.Dispose();
        await proxy.DisposeAsync();
        server.Dispose();
    }

    [Fact]
    public async Task Without_a_fault_bytes_and_ends_pass_both_ways()
    {
        using var peer = await ConnectAsync();
        await SendAsync(client.Client, 5);
        Assert.Equal(5, await ReadAsync(peer, 5));
        await SendAsync(peer, 7);
        Assert.Equal(7, await ReadAsync(client.Client, 7));
        client.Client.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await ReadAsync(peer, 1));
    }

    [Fact]
    public async Task A_cut_lets_exactly_so_many_bytes_through_counted_from_when_it_was_set()
    {
        using var peer = await ConnectAsync();
        await SendAsync(peer, 4);
        await ReadAsync(client.Client, 4);
        proxy.CutAfter(3, Direction.ToClient);
        await SendAsync(client.Client, 9);
        Assert.Equal(9, await ReadAsync(peer, 9));
        await SendAsync(peer, 8);
        Assert.InRange(await ReadAsync(client.Client, 8), 0, 3);
        Assert.Equal(0, await ReadAsync(peer, 1));
    }

    [Fact]
    public async Task A_black_hole_swallows_one_direction_and_tells_nobody_until_the_network_is_well_again()
    {
        using var peer = await ConnectAsync();
        proxy.BlackHole(Direction.ToClient);
        await SendAsync(peer, 4);
        await SendAsync(client.Client, 6);
        Assert.Equal(6, await ReadAsync(peer, 6));
        Assert.True(SpinWait.SpinUntil(() => proxy.Shown > 0, Bound));
        Assert.Equal(0, client.Available);

        proxy.Heal();

        Assert.Equal(0, await ReadAsync(client.Client, 1));
        Assert.Equal(0, await ReadAsync(peer, 1));
    }

    [Fact]
    public async Task What_comes_after_something_was_swallowed_ends_the_connection_even_before_the_network_is_well_again()
    {
        using var peer = await ConnectAsync();
        proxy.BlackHole(Direction.ToClient);
        await SendAsync(peer, 4);
        Assert.True(SpinWait.SpinUntil(() => proxy.Shown > 0, Bound));

        proxy.Delay(TimeSpan.Zero);
        await SendAsync(peer, 2);

        Assert.Equal(0, await ReadAsync(client.Client, 1));
    }

    [Fact]
    public async Task Corruption_flips_a_bit_and_keeps_the_length()
    {
        using var peer = await ConnectAsync();
        proxy.Corrupt(Direction.ToServer);
        await client.Client.SendAsync(new byte[] { 8, 8 });
        var got = new byte[2];
        Assert.Equal(2, await peer.ReceiveAsync(got).WaitAsync(Bound));
        Assert.Equal([8, 9], got);
    }

    [Fact]
    public async Task A_delay_holds_bytes_back_until_its_time()
    {
        var time = new ManualTime();
        using var peer = await ConnectAsync();
        proxy.Delay(TimeSpan.FromMinutes(1), time);
        await SendAsync(client.Client, 3);
        while (time.PendingTimers == 0) await Task.Yield();
        Assert.Equal(0, peer.Available);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(3, await ReadAsync(peer, 3));
    }

    [Fact]
    public async Task Refusal_cuts_what_is_open_and_lets_nobody_in_until_it_is_healed()
    {
        using var peer = await ConnectAsync();
        proxy.Refuse();
        Assert.Equal(0, await ReadAsync(peer, 1));
        using var second = new TcpClient();
        Assert.True(await IsRefusedAsync(second));
        Assert.Equal(2, proxy.Accepted);
        proxy.Heal();
        using var third = new TcpClient();
        await third.ConnectAsync(proxy.EndPoint);
        using var again = await server.AcceptAsync().WaitAsync(Bound);
        await SendAsync(again, 2);
        Assert.Equal(2, await ReadAsync(third.Client, 2));
    }

    private async Task<Socket> ConnectAsync()
    {
        await client.ConnectAsync(proxy.EndPoint);
        return await server.AcceptAsync().WaitAsync(Bound);
    }

    /// <summary>The reset may come before the client has noticed that it is connected.</summary>
    private async Task<bool> IsRefusedAsync(TcpClient another)
    {
        try
        {
            await another.ConnectAsync(proxy.EndPoint);
            return await ReadAsync(another.Client, 1) == 0;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    private static async Task SendAsync(Socket socket, int count) => Assert.Equal(count, await socket.SendAsync(new byte[count]));

    /// <summary>How many bytes came before the connection ended, at most <paramref name="count"/>.</summary>
    private static async Task<int> ReadAsync(Socket socket, int count)
    {
        var (buffer, total) = (new byte[count], 0);
        try
        {
            while (total < count && await socket.ReceiveAsync(buffer.AsMemory(total)).AsTask().WaitAsync(Bound) is > 0 and var read) total += read;
        }
        catch (SocketException)
        {
            // A reset is an end too.
            return total;
        }

        return total;
    }
}
