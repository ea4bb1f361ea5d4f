using System.Runtime.Versioning;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Compute.DataPlane;
using Xunit;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>
/// The whole contract against the Modal app that is deployed, its backend included, spoken with by the real adapter over HTTP.
/// Under it is a stand-in for Modal's SDK (deploy/modal/tests/stand_in.py), not Modal.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class ModalAppContractTests : SandboxProviderContract
{
    private readonly ModalAppPeer peer = new("tests.stand_in");

    private protected override ISandboxRig Rig => peer;

    protected override bool KnowsItsMachines => true;

    public override Task InitializeAsync() => peer.StartAsync();

    [Fact]
    public async Task Only_a_request_that_is_fresh_whole_and_signed_by_a_known_key_is_served_and_only_once()
    {
        using var requests = new SignedRequests(peer.Url);
        var (body, other) = (Body(Specs.New()), Body(Specs.New()));
        var stale = TimeProvider.System.GetUtcNow().AddSeconds(-400);
        await RefusedAsync("signature_missing", null, body);
        await RefusedAsync("key_unknown", SignedRequests.Sign(HttpMethod.Post, "/sandboxes", body, keyId: "stranger").ToString(), body);
        await RefusedAsync("signature_invalid", SignedRequests.Sign(HttpMethod.Post, "/sandboxes", body).ToString(), other);
        await RefusedAsync("request_out_of_time", SignedRequests.Sign(HttpMethod.Post, "/sandboxes", body, stale).ToString(), body);
        Assert.Empty(await ListAsync([]));

        var signature = SignedRequests.Sign(HttpMethod.Post, "/sandboxes", body).ToString();
        Assert.Equal(200, (await requests.SendAsync(HttpMethod.Post, "/sandboxes", signature, body)).Status);
        await RefusedAsync("nonce_replayed", signature, body);
        Assert.Single(await ListAsync([]));

        async Task RefusedAsync(string code, string? authorization, byte[] sent)
        {
            var (status, problem) = await requests.SendAsync(HttpMethod.Post, "/sandboxes", authorization, sent);
            Assert.Equal((401, code), (status, problem!.Code));
        }
    }

    [Fact]
    public async Task A_key_that_was_used_for_another_box_makes_none()
    {
        using var requests = new SignedRequests(peer.Url);
        var spec = Specs.New();
        await CreateAsync(spec);
        var body = Body(Specs.New(), key: spec.Sandbox.ToString());

        var (status, problem) = await requests.SendAsync(HttpMethod.Post, "/sandboxes", SignedRequests.Sign(HttpMethod.Post, "/sandboxes", body).ToString(), body);

        Assert.Equal((422, "rejected"), (status, problem!.Kind));
        Assert.Single(await ListAsync([]));
    }

    [Fact]
    public async Task No_more_boxes_are_made_than_may_run_and_the_refusal_says_that_none_is_there()
    {
        for (var i = 0; i < 8; i++) await CreateAsync(Specs.New());
        var failure = await Assert.ThrowsAsync<PortException>(async () => await Rig.Provider.CreateAsync(Specs.New() with { Node = (await ListAsync([]))[0].Handle.Node }, CancellationToken.None));
        Assert.Equal((PortFailureKind.Full, false), (failure.Kind, failure.EffectMayHaveHappened));
        Assert.Equal(8, (await ListAsync([])).Count);
    }

    [Fact]
    public async Task A_box_of_a_session_that_is_gone_for_good_is_not_made_again_by_a_late_create()
    {
        var spec = Specs.New();
        await DestroyAsync(await CreateAsync(spec), keepData: false);
        Assert.Equal(PortFailureKind.Rejected, (await Assert.ThrowsAsync<PortException>(async () => await CreateAsync(spec))).Kind);
        Assert.Equal(1, await Rig.StartsOfAsync(spec));
    }

    private static byte[] Body(SandboxSpec spec, string? key = null) => JsonSerializer.SerializeToUtf8Bytes(
        new CreateSandboxBody(key ?? spec.Sandbox.ToString(), spec.Sandbox.ToString(), null, spec.Agent, new(1 << 28, 64, 1, 1 << 28), new Dictionary<string, string>(),
            new("http://127.0.0.1:9", spec.BridgeToken, spec.Organization.ToString(), spec.Session.ToString(), spec.Generation), null, 3600, spec.Labels),
        DataPlaneJson.Default.CreateSandboxBody);
}
