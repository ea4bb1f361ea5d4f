using System.Net;
using System.Net.Sockets;
using System.Text;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.Sandboxes;

public sealed class EgressTunnelTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Bytes_pass_both_ways_and_the_end_of_each_side_is_passed_on()
    {
        await using var host = await EgressHost.StartAsync();
        var (box, status, _) = await host.AskAsync("outside.test", host.OutsidePort);
        using var remote = await host.AcceptAsync();
        Assert.Equal(101, status);
        await box.GetStream().WriteAsync("question"u8.ToArray());
        Assert.Equal("question", await ReadAsync(remote, 8));
        await remote.GetStream().WriteAsync("answer"u8.ToArray());
        Assert.Equal("answer", await ReadAsync(box, 6));
        remote.Close();
        Assert.Equal(0, await EndOfAsync(box));
        await GoneAsync(host);
    }

    [Fact]
    public async Task A_megabyte_passes_unchanged()
    {
        await using var host = await EgressHost.StartAsync();
        var (box, _, _) = await host.AskAsync("outside.test", host.OutsidePort);
        using var remote = await host.AcceptAsync();
        var sent = new byte[1024 * 1024];
        new Random(7).NextBytes(sent);
        var writing = remote.GetStream().WriteAsync(sent).AsTask();
        var received = new byte[sent.Length];
        await box.GetStream().ReadExactlyAsync(received).AsTask().WaitAsync(Bound);
        await writing;
        Assert.Equal(sent, received);
        box.Dispose();
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("10.0.0.5")]
    [InlineData("169.254.169.254")]
    [InlineData("::1")]
    [InlineData("::ffff:192.168.0.1")]
    public async Task An_allowed_name_that_resolves_to_a_private_address_is_refused(string address)
    {
        await using var host = await EgressHost.StartAsync();
        host.Names["github.com"] = [IPAddress.Parse(address)];
        var (box, status, body) = await host.AskAsync("github.com", 443);
        Assert.Equal(403, status);
        Assert.Contains("egress_refused", body, StringComparison.Ordinal);
        box.Dispose();
    }

    [Fact]
    public async Task A_name_is_resolved_once_so_a_second_answer_cannot_lead_elsewhere()
    {
        await using var host = await EgressHost.StartAsync(settings: ("ConnectSeconds", "1"));
        host.Names["github.com"] = [IPAddress.Parse("192.0.2.1")];
        var (box, status, body) = await host.AskAsync("github.com", 443);
        Assert.Equal(502, status);
        Assert.Contains("egress_unreachable", body, StringComparison.Ordinal);
        Assert.Equal(["github.com"], host.Asked);
        box.Dispose();
    }

    [Fact]
    public async Task A_refused_name_is_never_even_resolved()
    {
        await using var host = await EgressHost.StartAsync();
        var (box, status, _) = await host.AskAsync("exfiltrate-this.evil.example", 443);
        Assert.Equal(403, status);
        Assert.Empty(host.Asked);
        box.Dispose();
    }

    [Fact]
    public async Task A_name_that_is_not_there_is_unreachable()
    {
        await using var host = await EgressHost.StartAsync();
        var (box, status, body) = await host.AskAsync("github.com", 443);
        Assert.Equal(502, status);
        Assert.Contains("there is no such host", body, StringComparison.Ordinal);
        box.Dispose();
    }

    [Fact]
    public async Task Only_a_wanted_box_gets_out()
    {
        await using var host = await EgressHost.StartAsync();
        Assert.Equal(401, (await host.AskAsync("outside.test", host.OutsidePort, token: "sb_junk")).Status);
        host.Sessions.Refuse = _ => StubSessions.NotWanted;
        Assert.Equal(410, (await host.AskAsync("outside.test", host.OutsidePort)).Status);
        Assert.Empty(host.Asked);
    }

    [Fact]
    public async Task Without_an_upgrade_nothing_is_dialed()
    {
        await using var host = await EgressHost.StartAsync();
        Assert.Equal(400, (await host.AskAsync("outside.test", host.OutsidePort, upgrade: "websocket")).Status);
        Assert.Equal(0, host.Tunnels.OpenOf(host.Sandbox));
    }

    [Fact]
    public async Task A_box_has_a_bounded_number_of_connections_and_gets_the_place_of_one_that_ended()
    {
        await using var host = await EgressHost.StartAsync(settings: ("MaxTunnelsPerBox", "1"));
        var (first, _, _) = await host.AskAsync("outside.test", host.OutsidePort);
        using var remote = await host.AcceptAsync();
        var (_, busy, body) = await host.AskAsync("outside.test", host.OutsidePort);
        Assert.Equal(429, busy);
        Assert.Contains("egress_busy", body, StringComparison.Ordinal);
        first.Dispose();
        await GoneAsync(host);
        Assert.Equal(101, (await host.AskAsync("outside.test", host.OutsidePort)).Status);
    }

    [Fact]
    public async Task A_connection_on_which_nothing_moves_is_closed()
    {
        var time = new ManualTime();
        await using var host = await EgressHost.StartAsync(time, ("IdleSeconds", "300"));
        var (box, _, _) = await host.AskAsync("outside.test", host.OutsidePort);
        using var remote = await host.AcceptAsync();
        await remote.GetStream().WriteAsync("x"u8.ToArray());
        Assert.Equal("x", await ReadAsync(box, 1));
        time.Advance(TimeSpan.FromSeconds(301));
        Assert.Equal(0, await EndOfAsync(box));
        Assert.Equal(0, await EndOfAsync(remote));
    }

    [Fact]
    public async Task A_box_that_its_session_gave_up_loses_its_open_connections()
    {
        var time = new ManualTime();
        await using var host = await EgressHost.StartAsync(time);
        var (box, _, _) = await host.AskAsync("outside.test", host.OutsidePort);
        using var remote = await host.AcceptAsync();
        await remote.GetStream().WriteAsync("x"u8.ToArray());
        Assert.Equal("x", await ReadAsync(box, 1));
        host.Sessions.Refuse = _ => StubSessions.NotWanted;
        time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(0, await EndOfAsync(box));
    }

    [Fact]
    public async Task A_host_that_stops_does_not_wait_for_tunnels()
    {
        await using var host = await EgressHost.StartAsync();
        var (box, _, _) = await host.AskAsync("outside.test", host.OutsidePort);
        using var remote = await host.AcceptAsync();
        await host.StopAsync().WaitAsync(Bound);
        Assert.Equal(0, await EndOfAsync(box));
    }

    private static async Task<string> ReadAsync(TcpClient client, int count)
    {
        var buffer = new byte[count];
        await client.GetStream().ReadExactlyAsync(buffer).AsTask().WaitAsync(Bound);
        return Encoding.ASCII.GetString(buffer);
    }

    /// <summary>0: the other side closed; a reset counts as that.</summary>
    private static async Task<int> EndOfAsync(TcpClient client)
    {
        try
        {
            return await client.GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(Bound);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static async Task GoneAsync(EgressHost host)
    {
        using var limit = new CancellationTokenSource(Bound);
        while (host.Tunnels.OpenOf(host.Sandbox) > 0) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, limit.Token);
    }
}
