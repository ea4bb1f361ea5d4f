using System.Globalization;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports;
using Coordinator.Tests.Modules.Tenancy;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

/// <summary>A client that stops reading while its session goes on, over real TCP: what the server keeps for it, how it is let go, and how it comes back.</summary>
public sealed class PausedClientTests : ServedTests
{
    private const int Pieces = 400;
    private const int PieceBytes = 50_000;

    /// <summary>What the server may have in hand for one client, and what two kernels hold of a connection, is far below it; all that is told is more.</summary>
    private const int MostHeld = Pieces * PieceBytes / 2;

    private SessionKey key;
    private SandboxId box;

    [Fact]
    public async Task A_client_that_reads_on_after_too_much_was_told_is_dropped_with_4408_and_resumes_without_gap_or_duplicate()
    {
        await StartSessionAsync();
        using var paused = await FollowAsync(after: null);
        await TellAsync();

        var shown = new List<long>();
        Assert.Equal(SocketClose.Slow, await ReadAsync(paused, shown, through: long.MaxValue));

        Assert.InRange(paused.Received, 1, MostHeld);
        await ResumeAsync(shown);
    }

    [Fact]
    public async Task A_client_that_takes_nothing_at_all_is_cut_off_and_resumes_without_gap_or_duplicate()
    {
        await StartSessionAsync();
        using var paused = await FollowAsync(after: null);
        await TellAsync();

        await Eventually.AdvanceAsync(Server.Time, FrameSocket.SendTimeout, () => Server.Log.Text.Contains($"/v1/sessions/{key.Session}/ws - 101", StringComparison.Ordinal));
        var shown = new List<long>();
        await Assert.ThrowsAsync<WebSocketException>(() => ReadAsync(paused, shown, through: long.MaxValue));

        Assert.InRange(paused.Received, 1, MostHeld);
        await ResumeAsync(shown);
    }

    private async Task StartSessionAsync()
    {
        key = new(Ada.Organization, await SessionServer.CreateAsync(Ada, "hello"));
        var view = await Ada.Http.GetAsync($"/v1/sessions/{key.Session}").JsonAsync(200);
        Assert.True(SandboxId.TryParse(view.GetProperty("sandbox").GetProperty("id").GetString(), out box));
    }

    /// <summary>A box that says a lot; when this returns all of it is durable.</summary>
    private async Task TellAsync()
    {
        using var bridge = await Server.ConnectAsync("/v1/bridge", "coordinator.bridge.v1", new SessionServer.BoxTokens().TokenFor(key, box, 1));
        await bridge.SendAsync($$"""{"type":"hello","protocol":[1,1],"sandbox":"{{box}}","generation":1,"spoolId":"0123456789abcdef","messages":[],"openPermissions":[]}""");
        await bridge.SendAsync("""{"type":"event","n":1,"kind":"boot.ready","data":{"agent":{"name":"opencode","version":"1"},"resumed":false,"elapsedMs":5}}""");
        var message = (await bridge.NextAsync("request")).GetProperty("params").GetProperty("messageId").GetString();
        await bridge.SendAsync($$$"""{"type":"event","n":2,"kind":"message.accepted","messageId":"{{{message}}}","data":{}}""");
        var text = new string('x', PieceBytes);
        for (var piece = 0; piece < Pieces; piece++)
        {
            await bridge.SendAsync($$$"""{"type":"event","n":{{{piece + 3}}},"kind":"agent.text","messageId":"{{{message}}}","data":{"part":"p","offset":{{{(long)piece * PieceBytes}}},"text":"{{{text}}}"}}""");
            if (piece % 50 == 49) await AcknowledgedAsync(bridge, piece + 3);
        }
    }

    private static async Task AcknowledgedAsync(SocketClient bridge, long n)
    {
        while ((await bridge.NextAsync("ack")).GetProperty("n").GetInt64() < n)
        {
        }
    }

    /// <summary>With a small window, so that little waits where nobody can count it.</summary>
    private async Task<SocketClient> FollowAsync(long? after)
    {
        var connections = new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = static async (to, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 64 * 1024, NoDelay = true };
                await socket.ConnectAsync(to.DnsEndPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        var client = await Server.ConnectAsync(connections, $"/v1/sessions/{key.Session}/ws", "coordinator.v1", Ada.Secret);
        await client.SendAsync(after is null ? """{"type":"subscribe"}""" : string.Create(CultureInfo.InvariantCulture, $$"""{"type":"subscribe","after":"1.{{after}}"}"""));
        await client.NextAsync("ready");
        return client;
    }

    /// <summary>Reads events until one, or until the server closes: the code that it closes with.</summary>
    private static async Task<int?> ReadAsync(SocketClient client, List<long> shown, long through)
    {
        while (shown.LastOrDefault() < through)
        {
            var (frame, close) = await client.NextOrCloseAsync();
            if (frame is not { } told) return close;
            if (told.GetProperty("type").GetString() == "events") shown.AddRange(told.GetProperty("events").EnumerateArray().Select(Seq));
        }

        return null;
    }

    /// <summary>Comes back after the last event that it was shown, and has been shown all there is at the end, each once and in order.</summary>
    private async Task ResumeAsync(List<long> shown)
    {
        var first = shown[0];
        var last = (await Server.Journal.FindHeadAsync(key, default))!.Seq;
        Assert.InRange(shown[^1], first, last - 1);

        using var back = await FollowAsync(after: shown[^1]);
        Assert.Null(await ReadAsync(back, shown, through: last));

        Assert.Equal(Enumerable.Range((int)first, (int)(last - first + 1)).Select(seq => (long)seq), shown);
    }

    private static long Seq(JsonElement envelope) => envelope.GetProperty("seq").GetInt64();
}
