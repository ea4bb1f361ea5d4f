using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Adapters.InProcess.Cluster;
using Coordinator.Ports;
using Coordinator.Ports.Compute.DataPlane;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>
/// Somebody sits where a host should be, and answers in its place: on the network between them, or at an address that was given
/// away again. Whoever asked believes nothing that does not carry the host's own signature over the question.
/// </summary>
public sealed class FalsePeerTests : IAsyncLifetime
{
    private static readonly Principal Ada = new(PrincipalKind.User, "usr_ada", "Ada");
    private static readonly PeerAnswer Done = new(Reply: new SessionReply.Done());

    private readonly ClusterStore store = new();
    private readonly SessionKey key = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
    private ClusterNode asking = null!;
    private LoopbackServer server = null!;
    private HostLocation owner = null!;
    private IHostRegistration registration = null!;

    /// <summary>What stands where the signature should, given who should have signed, the request's nonce and the answer.</summary>
    private Func<string, byte[], string?> sign = static (_, _) => null;

    public async Task InitializeAsync()
    {
        asking = await ClusterNode.StartAsync(store, new RecordingEffects(), searchTime: "00:00:00.500");
        server = await LoopbackServer.StartAsync(Map);
        registration = await store.Hosts.RegisterAsync(new(server.Address), default);
        owner = registration.Location;
        Assert.NotNull(await store.Journal.OpenAsync(key, owner.Id, create: true, default));
    }

    public async Task DisposeAsync()
    {
        await asking.DisposeAsync();
        await registration.DisposeAsync();
        await server.DisposeAsync();
    }

    public static TheoryData<string> Forgeries => new(["none", "empty", "nonsense", "another answer's", "another request's", "another host's", "another key's"]);

    [Theory]
    [MemberData(nameof(Forgeries))]
    public async Task What_answers_a_call_in_a_hosts_place_is_not_believed(string forgery)
    {
        sign = Forged(forgery);

        var refused = await Assert.ThrowsAsync<PortException>(async () => await RenameAsync());

        Assert.Equal((PortFailureKind.Unavailable, true), (refused.Kind, refused.EffectMayHaveHappened));
    }

    [Theory]
    [MemberData(nameof(Forgeries))]
    public async Task What_answers_a_box_in_a_hosts_place_is_not_believed_and_the_box_hears_nothing_of_it(string forgery)
    {
        sign = Forged(forgery);
        var box = new Box();

        var refused = await Assert.ThrowsAsync<PortException>(async () => await AttachAsync(box));

        Assert.Equal(PortFailureKind.Unavailable, refused.Kind);
        Assert.False(box.Heard.IsCompleted);
    }

    /// <summary>Else the tests above would show nothing: this is what would be believed.</summary>
    [Fact]
    public async Task The_same_answers_are_believed_with_the_hosts_own_signature()
    {
        sign = Own;
        var box = new Box();

        Assert.IsType<SessionReply.Done>((await RenameAsync()).Value);
        await using var link = (await AttachAsync(box)).Value;
        Assert.IsType<HostFrame.Shutdown>(await box.Heard.WaitAsync(Eventually.Bound));
    }

    private ValueTask<Result<SessionReply>> RenameAsync() => asking.Host.CallAsync(key, new SessionCommand.Rename(Ada, "Asked of whoever is there"), default);

    private ValueTask<Result<IBridgeLink>> AttachAsync(Box box)
    {
        var sandbox = SandboxId.New(TimeProvider.System);
        return asking.Host.AttachBridgeAsync(key, new(sandbox, 1, new byte[SHA256.HashSizeInBytes]), new(1, 1, sandbox, 1, "spool", [], []), box, default);
    }

    private string? Own(string nonce, byte[] answer) => asking.Signer.SignAnswer(owner.Id, nonce, answer);

    private Func<string, byte[], string?> Forged(string forgery) => forgery switch
    {
        "none" => static (_, _) => null,
        "empty" => static (_, _) => string.Empty,
        "nonsense" => static (_, _) => "not a signature",
        "another answer's" => (nonce, _) => Own(nonce, PeerJson.Write(new PeerAnswer(Moved: true))),
        "another request's" => (_, answer) => Own(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)), answer),
        "another host's" => (nonce, answer) => asking.Signer.SignAnswer(asking.Member.Location.Id, nonce, answer),
        _ => (nonce, answer) => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.ASCII.GetBytes(nonce), answer)),
    };

    private void Map(WebApplication app)
    {
        app.UseWebSockets();
        app.MapPost(PeerClient.CallsPath, AnswerAsync);
        app.MapGet(PeerBridges.Path, AnswerBoxAsync);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var answer = PeerJson.Write(Done);
        if (sign(NonceOf(context), answer) is { } signature) context.Response.Headers[PeerSigner.AnswerHeader] = signature;
        await context.Response.Body.WriteAsync(answer);
    }

    /// <summary>Answers that the box is let in, and tells it to end.</summary>
    private async Task AnswerBoxAsync(HttpContext context)
    {
        using var socket = new PeerSocket(await context.WebSockets.AcceptWebSocketAsync());
        await socket.ReceiveAsync(context.RequestAborted);
        var answer = PeerJson.Write(Done);
        try
        {
            await socket.SendAsync(sign(NonceOf(context), answer) is { } signature ? [.. Encoding.ASCII.GetBytes(signature), (byte)'\n', .. answer] : answer, context.RequestAborted);
            await socket.SendAsync(PeerJson.Write(new PeerBridgeDown(Frame: new HostFrame.Shutdown("req_1", "so says who is here"))), context.RequestAborted);
        }
        catch (WebSocketException)
        {
            return; // it has hung up, as it should
        }

        await socket.ReceiveAsync(context.RequestAborted);
    }

    private static string NonceOf(HttpContext context)
    {
        Assert.True(RequestSignature.TryParse(context.Request.Headers.Authorization, out var signature));
        return signature.Nonce;
    }

    /// <summary>The box, of which the first word that it hears is kept.</summary>
    private sealed class Box : IBridgeSink
    {
        private readonly TaskCompletionSource<HostFrame> heard = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<HostFrame> Heard => heard.Task;

        public void Send(HostFrame frame) => heard.TrySetResult(frame);

        public void Close(LinkCloseReason reason, string detail)
        {
            // It dials anew, which is no part of this.
        }
    }
}
