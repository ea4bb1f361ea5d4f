using System.Net;
using Coordinator.Adapters.InProcess.Cluster;
using Coordinator.Ports;
using Coordinator.Ports.Compute.DataPlane;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Coordinator.Tests.Support.Network;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>Two hosts that do not believe each other: who asks is told so at once, and the logs of both say why.</summary>
public sealed class RefusedPeerTests : IAsyncLifetime
{
    private const string Key = "a key that all hosts share";
    private static readonly Principal Ada = new(PrincipalKind.User, "usr_ada", "Ada");

    private readonly ClusterStore store = new();
    private readonly RecordingEffects effects = new();
    private readonly CapturedLog ownersLog = new();
    private readonly CapturedLog askersLog = new();
    private readonly SkewedTime askersClock = new();
    private readonly SessionKey key = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
    private ClusterNode owner = null!;

    public async Task InitializeAsync()
    {
        owner = await ClusterNode.StartAsync(store, effects, change: services => services.AddSingleton(new ClusterLog(ownersLog)));
        Assert.True((await owner.Host.CallAsync(key, new SessionCommand.Create(Ada, new("demo/scripted", "opencode", null, PermissionMode.Auto), "A session"), default)).IsSuccess);
    }

    public async Task DisposeAsync()
    {
        await owner.DisposeAsync();
        ownersLog.Dispose();
        askersLog.Dispose();
    }

    [Theory]
    [InlineData(6, Key, "its clock is 6 minutes behind this one's", "signed more than five minutes from this host's clock")]
    [InlineData(-6, Key, "its clock is 6 minutes ahead of this one's", "signed more than five minutes from this host's clock")]
    [InlineData(0, "another key", "the same first master key", "not one under the first master key of this host")]
    public async Task A_call_that_a_peer_refuses_is_answered_at_once_with_what_to_look_at_and_not_searched_for(int minutesAhead, string masterKey, string told, string logged)
    {
        await using var asker = await AskerAsync(masterKey);
        askersClock.Skew = TimeSpan.FromMinutes(minutesAhead);

        var refused = await Assert.ThrowsAsync<PortException>(async () => await RenameAsync(asker).AsTask().WaitAsync(Eventually.Bound));

        Assert.Equal((PortFailureKind.Unavailable, false, true), (refused.Kind, refused.EffectMayHaveHappened, refused.RetryAfter > TimeSpan.Zero));
        Assert.Contains(told, refused.Message, StringComparison.Ordinal);
        Assert.Contains(owner.Member.Location.Id.ToString(), refused.Message, StringComparison.Ordinal);
        Assert.Contains(told, askersLog.Text, StringComparison.Ordinal);
        Assert.Contains(logged, ownersLog.Text, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1", ownersLog.Text, StringComparison.Ordinal);

        askersClock.Skew = TimeSpan.Zero;
        if (masterKey == Key) Assert.True((await RenameAsync(asker)).IsSuccess);
    }

    [Theory]
    [InlineData(6, Key, "more than five minutes apart")]
    [InlineData(0, "another key", "the same first master key")]
    public async Task So_is_a_box_on_its_way_to_its_session(int minutesAhead, string masterKey, string told)
    {
        await using var asker = await AskerAsync(masterKey);
        askersClock.Skew = TimeSpan.FromMinutes(minutesAhead);

        var sandbox = SandboxId.New(TimeProvider.System);

        var attaching = asker.Host.AttachBridgeAsync(key, new(sandbox, 1, new byte[32]), new(1, 1, sandbox, 1, "spool", [], []), new Nobody(), default).AsTask();

        var refused = await Assert.ThrowsAsync<PortException>(() => attaching.WaitAsync(Eventually.Bound));
        Assert.Contains(told, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_asks_for_a_host_that_has_registered_anew_since_is_none_whose_signature_is_refused()
    {
        var gone = HostId.New(TimeProvider.System);

        var (status, word) = await PostAsync(owner.Signer.Sign(gone, Request).ToString());

        Assert.Equal((HttpStatusCode.Unauthorized, null), (status, word));
        Assert.DoesNotContain("claims to come from a peer", ownersLog.Text, StringComparison.Ordinal);
        Assert.Contains("Debug A request from", ownersLog.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_comes_a_second_time_is_refused_as_that_and_asked_anew()
    {
        var signed = owner.Signer.Sign(owner.Member.Location.Id, Request).ToString();
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(signed)).Status);

        Assert.Equal((HttpStatusCode.Unauthorized, null), await PostAsync(signed));

        Assert.Contains("It came before", ownersLog.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_does_not_have_the_key_learns_nothing_of_the_clock()
    {
        await using var stranger = await AskerAsync("another key");
        askersClock.Skew = TimeSpan.FromHours(1);

        Assert.Equal((HttpStatusCode.Unauthorized, "signature"), await PostAsync(stranger.Signer.Sign(owner.Member.Location.Id, Request).ToString()));
        Assert.Equal((HttpStatusCode.Unauthorized, null), await PostAsync("Bearer of nothing"));
        Assert.Contains("It bears no signature", ownersLog.Text, StringComparison.Ordinal);
    }

    private byte[] Body => PeerJson.Write(new PeerCall(key, new SessionCommand.GetView()));

    private SignedRequest Request => new("POST", PeerClient.CallsPath, Body);

    /// <summary>Which would search for hours; only what it says to peers is by its clock and key, and the registry knows nothing of them.</summary>
    private Task<ClusterNode> AskerAsync(string masterKey) => ClusterNode.StartAsync(store, effects, searchTime: "10:00:00", change: services => services
        .AddSingleton(new ClusterLog(askersLog))
        .AddSingleton(new PeerSigner(new ClusterNode.SharedKey(masterKey), askersClock))
        .AddSingleton(s => new PeerClient(s.GetRequiredService<PeerSigner>(), s.GetRequiredService<PeerVigil>(), TimeSpan.FromMinutes(5), askersClock)));

    private ValueTask<Result<SessionReply>> RenameAsync(ClusterNode asker) => asker.Host.CallAsync(key, new SessionCommand.Rename(Ada, "Asked of the owner"), default);

    private async Task<(HttpStatusCode Status, string? Word)> PostAsync(string signature)
    {
        using var http = TestHttp.Client(owner.Member.Location.Address);
        using var request = new HttpRequestMessage(HttpMethod.Post, PeerClient.CallsPath) { Content = new ByteArrayContent(Body) };
        request.Headers.TryAddWithoutValidation("Authorization", signature);
        using var answer = await http.SendAsync(request);
        return (answer.StatusCode, answer.Headers.TryGetValues(PeerRefusals.Header, out var words) ? words.Single() : null);
    }

    private sealed class Nobody : IBridgeSink
    {
        public void Send(HostFrame frame)
        {
        }

        public void Close(LinkCloseReason reason, string detail)
        {
        }
    }
}
