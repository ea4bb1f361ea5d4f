using Coordinator.Adapters.Postgres;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.HostLink;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Journeys;

/// <summary>A host that hangs closes nothing: who is connected to it has to notice by itself.</summary>
public sealed class SilentHostTests
{
    /// <summary>Room for a busy machine, and less than the half minute that it took when turns stood still for so long.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(25);

    [Fact]
    public void A_box_leaves_a_host_that_hangs_within_the_time_to_live_of_hosts() =>
        Assert.True(WebSocketDialer.LongestSilence < new DatabaseOptions().Hosts.TimeToLive, "A turn would stand still for longer than its host may be silent.");

    [Fact]
    public void A_box_that_dials_a_host_that_hangs_tries_again_within_the_time_to_live_of_hosts() =>
        Assert.True(BridgeLoop.DialTimeout <= new DatabaseOptions().Hosts.TimeToLive, "A box that was led to a host that hangs would wait there for longer than it has to.");

    [Fact]
    public async Task A_box_whose_host_takes_its_connection_and_then_reads_nothing_finds_it_broken()
    {
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await LoopbackServer.StartAsync(app =>
        {
            app.UseWebSockets();
            app.Map("/v1/bridge", async (HttpContext context) =>
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync(context.WebSockets.WebSocketRequestedProtocols[0]);
                await over.Task;
            });
        });
        using var host = new HostConnection(HostEndpoint.TryParse(server.Address.ToString())!, "sb_x");
        var dialed = Assert.IsType<DialResult.Open>(await new WebSocketDialer(host, TimeProvider.System).DialAsync(CancellationToken.None));
        await using var bridge = dialed.Socket;

        await Assert.ThrowsAsync<IOException>(() => bridge.ReceiveAsync(CancellationToken.None).AsTask().WaitAsync(Bound));
        over.SetResult();
    }
}
