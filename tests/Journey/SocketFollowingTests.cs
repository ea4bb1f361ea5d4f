using Coordinator.Cli.Journey;
using Coordinator.Client;
using Coordinator.Tests.Support.Network;
using Xunit;

namespace Coordinator.Tests.Journey;

/// <summary>The client's socket against a real host, with a real turn in it.</summary>
[Collection(JourneyHost.Collection)]
public sealed class SocketFollowingTests(JourneyHost host)
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task A_turn_is_prompted_and_followed_over_sockets_that_are_cut_without_a_gap_or_a_duplicate()
    {
        using var bound = new CancellationTokenSource(Bound);
        var session = (await host.SharedSessionAsync()).Session.Id;
        await using var network = new FaultProxy(host.Process.Url);
        using var client = new CoordinatorClient(network.Url, host.ApiKey);
        var socket = new SessionSocket(client, session);
        List<SessionEvent> shown = [];
        string? message = null;
        var streams = false;
        await foreach (var e in socket.FollowAsync(null, bound.Token))
        {
            shown.Add(e);
            if (message is null) network.Cut(); // before the prompt, so that no end of the turn waits to be taken already
            message ??= (await socket.PromptAsync("count slowly to 30", bound.Token)).MessageId;
            if (e.MessageId == message && e.Type == "agent.text" && !streams)
            {
                streams = true;
                network.Cut();
            }

            if (e.MessageId == message && JourneyRun.IsEnd(e)) break;
        }

        var page = await host.Client.ListEventsAsync(session, null, 1_000, bound.Token);
        Assert.Equal("message.completed", shown[^1].Type);
        Assert.Equal(page.Items.Select(e => (e.Seq, e.Type)).Take(shown.Count), shown.Select(e => (e.Seq, e.Type)));
        Assert.True(streams && socket.Reconnects > 0, $"The turn streamed: {streams}; the socket was made anew {socket.Reconnects} times.");
    }

    [Fact]
    public async Task A_running_message_is_cancelled_over_its_socket_and_a_wrong_one_is_refused_with_its_reason()
    {
        using var bound = new CancellationTokenSource(Bound);
        var session = (await host.SharedSessionAsync()).Session.Id;
        var socket = new SessionSocket(host.Client, session);
        string? message = null;
        await foreach (var e in socket.FollowAsync(null, bound.Token))
        {
            message ??= (await socket.PromptAsync("count slowly to 500", bound.Token)).MessageId;
            if (e.MessageId != message) continue;
            if (e.Type == "agent.text") await socket.CancelAsync(message, bound.Token);
            if (!JourneyRun.IsEnd(e)) continue;
            Assert.True(e.Type == "message.cancelled", $"{e.Type} {e.Data.GetRawText()}");
            break;
        }

        var wrong = await Assert.ThrowsAsync<CoordinatorException>(() => socket.CancelAsync("msg_00000000000000000000000001", bound.Token));
        Assert.Equal((404, "message_not_found"), (wrong.Status, wrong.Code));
    }

    [Theory]
    [InlineData("ses_00000000000000000000000001", false, 404, "session_not_found")]
    [InlineData("ses_00000000000000000000000001", true, 401, "credential_invalid")]
    public async Task A_socket_that_is_refused_says_why(string session, bool wrongKey, int status, string code)
    {
        using var client = new CoordinatorClient(host.Process.Url, wrongKey ? $"ck_{new string('0', 43)}" : host.ApiKey);
        var refused = await Assert.ThrowsAsync<CoordinatorException>(async () => await new SessionSocket(client, session).FollowAsync("1.1", CancellationToken.None).GetAsyncEnumerator().MoveNextAsync());
        Assert.Equal((status, code), (refused.Status, refused.Code));
    }
}
