using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Coordinator.Tests.Chaos.Checks;
using Coordinator.Tests.Chaos.Strikes;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Hosting;
using Coordinator.Tests.Support.Network;
using Xunit;

namespace Coordinator.Tests.Chaos;

/// <summary>What counts as struck: nothing that was not there, had ended by itself, or that nobody met.</summary>
public sealed class StruckTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_program_that_was_killed_has_not_ended_by_itself()
    {
        using var process = Process.Start("/bin/sleep", "1000");
        var running = new RunningProcess(process, "host");
        Assert.Null(running.EndedByItself);

        await running.KillAsync(Bound);

        Assert.Null(running.EndedByItself);
    }

    [Fact]
    public async Task A_program_that_ended_by_itself_cannot_be_killed_and_says_how_it_ended()
    {
        using var process = Process.Start("/bin/sh", ["-c", "exit 3"]);
        var running = new RunningProcess(process, "host");
        await process.WaitForExitAsync().WaitAsync(Bound);

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => running.KillAsync(Bound));

        Assert.Equal("The host had ended by itself with exit code 3.", refused.Message);
        Assert.Equal(3, running.EndedByItself);
    }

    [Fact]
    public void A_process_that_has_the_id_of_a_PostgreSQL_that_is_gone_is_not_killed_in_its_place()
    {
        var cluster = Directory.CreateTempSubdirectory("coordinator-stale-").FullName;
        using var somebody = Process.Start("/bin/sleep", "1000");
        try
        {
            Assert.False(PostgresMainProcess.Kill(cluster));
            File.WriteAllText(Path.Combine(cluster, "postmaster.pid"), somebody.Id.ToString(CultureInfo.InvariantCulture));

            Assert.False(PostgresMainProcess.Kill(cluster));

            Assert.False(somebody.HasExited);
        }
        finally
        {
            somebody.Kill();
            Directory.Delete(cluster, recursive: true);
        }
    }

    [Theory]
    [InlineData(nameof(Trouble.Cut))]
    [InlineData(nameof(Trouble.Refuse))]
    [InlineData(nameof(Trouble.BlackHole))]
    [InlineData(nameof(Trouble.Delay))]
    [InlineData(nameof(Trouble.CutAfter))]
    public async Task A_network_that_nobody_used_in_its_trouble_was_not_struck(string trouble)
    {
        await using var network = new FaultProxy(new IPEndPoint(IPAddress.Loopback, 1));

        Assert.False(await NetworkTrouble.PlayAsync(network, Enum.Parse<Trouble>(trouble), (Direction.ToClient, 1_000), new(1), () => Task.CompletedTask));
    }

    [Theory]
    [InlineData(nameof(Trouble.Cut), nameof(AddressFamily.InterNetwork))]
    [InlineData(nameof(Trouble.Refuse), nameof(AddressFamily.InterNetwork))]
    [InlineData(nameof(Trouble.BlackHole), nameof(AddressFamily.InterNetwork))]
    [InlineData(nameof(Trouble.Delay), nameof(AddressFamily.InterNetwork))]
    [InlineData(nameof(Trouble.CutAfter), nameof(AddressFamily.InterNetwork))]
    [InlineData(nameof(Trouble.Cut), nameof(AddressFamily.Unix))]
    [InlineData(nameof(Trouble.Refuse), nameof(AddressFamily.Unix))]
    [InlineData(nameof(Trouble.BlackHole), nameof(AddressFamily.Unix))]
    [InlineData(nameof(Trouble.Delay), nameof(AddressFamily.Unix))]
    [InlineData(nameof(Trouble.CutAfter), nameof(AddressFamily.Unix))]
    public async Task A_network_whose_trouble_somebody_met_was_struck(string trouble, string family)
    {
        var folder = Directory.CreateTempSubdirectory("coordinator-struck-").FullName;
        EndPoint At(string name) => family == nameof(AddressFamily.Unix) ? new UnixDomainSocketEndPoint(Path.Combine(folder, name)) : new IPEndPoint(IPAddress.Loopback, 0);
        using var server = Listen(At("server"));
        await using var network = new FaultProxy(server.LocalEndPoint!, At("network"));
        using var client = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(family == nameof(AddressFamily.Unix) ? At("network") : network.EndPoint);
        using var peer = await server.AcceptAsync();
        using var over = new CancellationTokenSource();
        var talking = Task.WhenAll(TalkAsync(client, over.Token), TalkAsync(peer, over.Token));

        var isStruck = await NetworkTrouble.PlayAsync(network, Enum.Parse<Trouble>(trouble), (Direction.ToServer, 1_000), new(1), () => Eventually.HoldsAsync(() => trouble == nameof(Trouble.Refuse) || network.Shown > 0, "somebody to meet it"));

        await over.CancelAsync();
        await talking;
        Directory.Delete(folder, recursive: true);
        Assert.True(isStruck);
    }

    [Fact]
    public void A_network_has_each_of_its_troubles_before_it_has_one_again()
    {
        var bag = new TroubleBag(new(20));

        for (var round = 0; round < 3; round++)
            Assert.Equal(Enum.GetValues<Trouble>(), Enumerable.Range(0, Enum.GetValues<Trouble>().Length).Select(_ => Struck()).Order());

        Trouble Struck()
        {
            bag.PutBack(bag.Take()); // nobody met it
            return bag.Take();
        }
    }

    [Fact]
    public void Only_a_host_that_owns_a_session_is_struck()
    {
        Uri[] hosts = [new("http://127.0.0.1:1"), new("http://127.0.0.1:2"), new("http://127.0.0.1:3")];

        Assert.All(Enumerable.Range(0, 20), seed => Assert.Equal(1, StruckHost.Of(hosts, [null, new("http://127.0.0.1:2/")], new(seed))));
        Assert.Equal([0, 2], Enumerable.Range(0, 20).Select(seed => StruckHost.Of(hosts, [hosts[0], hosts[2]], new(seed))).Distinct().Order());
        Assert.Null(StruckHost.Of(hosts, [null], new(1)));
    }

    [Fact]
    public async Task A_host_that_does_not_end_as_it_should_when_it_is_told_to_is_found()
    {
        Assert.Null(await Drain.EndAsync(() => Task.CompletedTask));

        var found = await Drain.EndAsync(() => throw new InvalidOperationException("The host ended with 134 after SIGTERM."));

        Assert.Equal(new Finding(FindingKind.Broken, "all", "a drained host: The host ended with 134 after SIGTERM."), found);
    }

    private static Socket Listen(EndPoint at)
    {
        var server = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        server.Bind(at);
        server.Listen();
        return server;
    }

    private static async Task TalkAsync(Socket socket, CancellationToken cancellationToken)
    {
        try
        {
            for (var data = new byte[100]; ; await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, cancellationToken)) await socket.SendAsync(data, cancellationToken);
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException)
        {
            // The network has done to it what it was to do, or the test is over.
        }
    }
}
