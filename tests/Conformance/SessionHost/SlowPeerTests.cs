using System.Net.Sockets;
using System.Text;
using Coordinator.Adapters.InProcess.Cluster;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>Somebody comes as a peer, announces much and says little of it. Whoever it is: the signature covers all of it, and is looked at last.</summary>
public sealed class SlowPeerTests : IAsyncLifetime
{
    private const int Announced = 1024 * 1024;

    private readonly ManualTime time = new();
    private ClusterNode node = null!;

    public async Task InitializeAsync() => node = await ClusterNode.StartAsync(new(), new RecordingEffects(), time: time);

    public async Task DisposeAsync() => await node.DisposeAsync();

    [Fact]
    public async Task A_length_that_is_announced_costs_nothing_before_it_comes()
    {
        var endpoints = new PeerEndpoints(node.Host, node.Signer, time, new(NullLogger.Instance));
        using var leaves = new CancellationTokenSource();
        var context = new DefaultHttpContext { RequestAborted = leaves.Token };
        (context.Request.ContentLength, context.Request.Body, context.Request.Headers.Authorization) = (Announced, new SilentStream(), Signature());
        var before = GC.GetAllocatedBytesForCurrentThread();

        var answering = endpoints.CallAsync(context);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Announced / 4);
        Assert.False(answering.IsCompleted);
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answering);
    }

    [Fact]
    public async Task What_comes_too_slowly_is_not_waited_for()
    {
        using var slow = new TcpClient();
        await slow.ConnectAsync(node.Member.Location.Address.Host, node.Member.Location.Address.Port);
        var stream = slow.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST {PeerClient.CallsPath} HTTP/1.1\r\nHost: host\r\nAuthorization: {Signature()}\r\nContent-Length: {Announced}\r\n\r\n{{"));
        var answer = new byte[12];
        var hearing = stream.ReadExactlyAsync(answer).AsTask();

        await Eventually.HoldsAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(11));
            return hearing.IsCompleted;
        }, "that the host answers");

        await hearing;
        Assert.Equal("HTTP/1.1 401", Encoding.ASCII.GetString(answer));
    }

    /// <summary>It looks good until what it covers has come.</summary>
    private string Signature() => node.Signer.Sign(node.Member.Location.Id, new("POST", PeerClient.CallsPath, "unsaid"u8.ToArray())).ToString();
}
