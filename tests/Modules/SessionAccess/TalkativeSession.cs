using System.Net.Sockets;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Modules.Tenancy;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

/// <summary>A session whose box says far more than a server may hold for a client that does not read.</summary>
internal sealed class TalkativeSession
{
    private const int Pieces = 400;
    private const int PieceBytes = 50_000;

    /// <summary>What the server may have in hand for one client, and what two kernels hold of a connection, is far below it; all that is told is more.</summary>
    public const int MostHeld = Pieces * PieceBytes / 2;

    private readonly SessionServer server;
    private readonly SandboxId box;

    private TalkativeSession(SessionServer server, SessionKey key, SandboxId box) => (this.server, Key, this.box) = (server, key, box);

    public SessionKey Key { get; }

    public static async Task<TalkativeSession> StartAsync(SessionServer server, SessionServer.Caller caller)
    {
        var key = new SessionKey(caller.Organization, await SessionServer.CreateAsync(caller, "hello"));
        var view = await caller.Http.GetAsync($"/v1/sessions/{key.Session}").JsonAsync(200);
        Assert.True(SandboxId.TryParse(view.GetProperty("sandbox").GetProperty("id").GetString(), out var box));
        return new(server, key, box);
    }

    /// <summary>When this returns all of it is durable.</summary>
    public async Task TellAsync()
    {
        using var bridge = await server.ConnectAsync("/v1/bridge", "coordinator.bridge.v1", new SessionServer.BoxTokens().TokenFor(Key, box, 1));
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

    /// <summary>Connections with a small window, so that little waits where nobody can count it.</summary>
    public static SocketsHttpHandler Connections() => new()
    {
        UseProxy = false,
        ConnectCallback = static async (to, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 64 * 1024, NoDelay = true };
            await socket.ConnectAsync(to.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    };

    /// <summary>The last event there is. Who has <paramref name="shown"/> of them was let go before it.</summary>
    public async Task<long> LastBehindAsync(List<long> shown)
    {
        var last = (await server.Journal.FindHeadAsync(Key, default))!.Seq;
        Assert.InRange(shown[^1], shown[0], last - 1);
        return last;
    }

    /// <summary>That each was shown once, in order, from the first that was shown to the last there is.</summary>
    public static void AssertWhole(List<long> shown, long last) => Assert.Equal(Enumerable.Range((int)shown[0], (int)(last - shown[0] + 1)).Select(seq => (long)seq), shown);

    private static async Task AcknowledgedAsync(SocketClient bridge, long n)
    {
        while ((await bridge.NextAsync("ack")).GetProperty("n").GetInt64() < n)
        {
        }
    }
}
