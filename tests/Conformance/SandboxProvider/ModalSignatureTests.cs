using System.Runtime.Versioning;
using System.Text;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Compute.DataPlane;
using Xunit;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>Who may make a sandbox host do something, and what everybody else is told.</summary>
[SupportedOSPlatform("linux")]
public sealed class ModalSignatureTests : IAsyncLifetime
{
    private readonly ModalRig rig = new();
    private SignedRequests? requests;

    private SignedRequests Requests => requests ??= new(rig.Url);

    public Task InitializeAsync() => rig.StartAsync();

    public async Task DisposeAsync()
    {
        requests?.Dispose();
        await rig.DisposeAsync();
    }

    [Fact]
    public async Task A_signed_request_that_is_replayed_is_refused_and_does_nothing()
    {
        var handle = await rig.Provider.MakeAsync(Specs.New());
        var target = $"/sandboxes/{handle.Id}?keepData=true";
        var signature = SignedRequests.Sign(HttpMethod.Delete, target).ToString();
        Assert.Equal(204, (await Requests.SendAsync(HttpMethod.Delete, target, signature)).Status);

        await RefusedAsync("nonce_replayed", "received before", HttpMethod.Delete, target, signature);
    }

    [Fact]
    public async Task A_replay_is_refused_after_a_restart_too()
    {
        var signature = SignedRequests.Sign(HttpMethod.Get, "/sandboxes").ToString();
        Assert.Equal(200, (await Requests.SendAsync(HttpMethod.Get, "/sandboxes", signature)).Status);
        await rig.StopHostAsync();
        await rig.StartHostAsync();

        await RefusedAsync("nonce_replayed", "received before", HttpMethod.Get, "/sandboxes", signature);
    }

    [Fact]
    public async Task While_no_nonce_can_be_written_down_boxes_are_looked_at_and_destroyed_and_none_is_made()
    {
        var handle = await rig.Provider.MakeAsync(Specs.New());

        // As a full disk is, for root too.
        var nonces = Path.Combine(rig.HostDirectory, "nonces");
        Directory.Delete(nonces, recursive: true);
        await File.WriteAllTextAsync(nonces, "");

        var body = Body(Specs.New());
        var (status, problem) = await Requests.SendAsync(HttpMethod.Post, "/sandboxes", SignedRequests.Sign(HttpMethod.Post, "/sandboxes", body).ToString(), body);
        Assert.Equal((503, "nonce_not_written"), (status, problem?.Code));
        Assert.Single(await ListAsync());
        var target = $"/sandboxes/{handle.Id}?keepData=false";
        var signature = SignedRequests.Sign(HttpMethod.Delete, target).ToString();
        Assert.Equal(204, (await Requests.SendAsync(HttpMethod.Delete, target, signature)).Status);
        await RefusedAsync("nonce_replayed", "received before", HttpMethod.Delete, target, signature);

        File.Delete(nonces);
        Directory.CreateDirectory(nonces);
        Assert.Equal(SandboxStatus.Running, (await rig.Provider.InspectAsync(await rig.Provider.MakeAsync(Specs.New()), CancellationToken.None)).Status);
    }

    [Theory]
    [InlineData(-301, "301 seconds before")]
    [InlineData(-86400, "seconds before")]
    [InlineData(303, "seconds after")]
    public async Task A_request_from_another_time_is_refused_and_the_distance_told(int seconds, string told)
    {
        var signature = SignedRequests.Sign(HttpMethod.Post, "/sandboxes", Body(Specs.New()), TimeProvider.System.GetUtcNow().AddSeconds(seconds)).ToString();

        await RefusedAsync("request_out_of_time", seconds == -301 ? "seconds before" : told, HttpMethod.Post, "/sandboxes", signature, lastBody);
        Assert.Empty(await ListAsync());
    }

    [Fact]
    public async Task A_signature_that_was_made_for_another_body_path_or_method_makes_no_box()
    {
        var (mine, theirs) = (Body(Specs.New()), Body(Specs.New()));
        await RefusedAsync("signature_invalid", "not that of this method, path, query", HttpMethod.Post, "/sandboxes", SignedRequests.Sign(HttpMethod.Post, "/sandboxes", mine).ToString(), theirs);
        await RefusedAsync("signature_invalid", "not that of this method", HttpMethod.Post, "/sandboxes", SignedRequests.Sign(HttpMethod.Post, "/sandboxes?node=x", mine).ToString(), mine);
        await RefusedAsync("signature_invalid", "not that of this method", HttpMethod.Post, "/sandboxes", SignedRequests.Sign(HttpMethod.Put, "/sandboxes", mine).ToString(), mine);
        await RefusedAsync("signature_invalid", "under the key it names", HttpMethod.Post, "/sandboxes", SignedRequests.Sign(HttpMethod.Post, "/sandboxes", mine, secret: "another secret, as long as the first").ToString(), mine);
        Assert.Empty(await ListAsync());
    }

    [Fact]
    public async Task An_unknown_key_is_named()
    {
        var body = Body(Specs.New());
        await RefusedAsync("key_unknown", "No key 'stranger'", HttpMethod.Post, "/sandboxes", SignedRequests.Sign(HttpMethod.Post, "/sandboxes", body, keyId: "stranger").ToString(), body);
        await RefusedAsync("signature_missing", "Sign the request", HttpMethod.Post, "/sandboxes", null, body);
        Assert.Empty(await ListAsync());
    }

    [Fact]
    public async Task Two_keys_are_good_during_a_rotation()
    {
        await rig.StopHostAsync();
        await rig.StartHostAsync(("SandboxHost:Keys:next", "the secret that comes after this one"));
        foreach (var (keyId, secret) in new[] { (ModalRig.KeyId, ModalRig.Secret), ("next", "the secret that comes after this one") })
            Assert.Equal(200, (await Requests.SendAsync(HttpMethod.Get, "/sandboxes", SignedRequests.Sign(HttpMethod.Get, "/sandboxes", keyId: keyId, secret: secret).ToString())).Status);
    }

    [Fact]
    public async Task Health_without_a_signature_tells_only_that_it_is_well()
    {
        Assert.Equal(200, (await Requests.SendAsync(HttpMethod.Get, "/health", null)).Status);
        await RefusedAsync("signature_missing", "Sign the request", HttpMethod.Get, "/health", "Bearer x");
    }

    [Theory]
    [InlineData("POST", "/sandboxes/x/snapshot")]
    [InlineData("POST", "/sandboxes:restore")]
    [InlineData("POST", "/images")]
    [InlineData("GET", "/images/x")]
    public async Task What_this_machine_cannot_do_is_said_as_unsupported(string method, string target)
    {
        var (status, problem) = await Requests.SendAsync(new(method), target, SignedRequests.Sign(new(method), target).ToString());

        Assert.Equal((501, DataPlaneProblem.Unsupported), (status, problem!.Code));
    }

    [Fact]
    public async Task An_adapter_with_a_wrong_secret_says_which_setting_to_look_at()
    {
        var provider = rig.Connect([("Secret", "another secret, as long as the first")], rig.Url);

        var failure = await Assert.ThrowsAsync<PortException>(async () => await provider.MakeAsync(Specs.New()));

        Assert.Equal((PortFailureKind.Unauthorized, false), (failure.Kind, failure.EffectMayHaveHappened));
        Assert.Contains("Sandbox:Modal:KeyId and :Secret", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_create_whose_key_was_used_for_another_box_is_refused()
    {
        var spec = Specs.New();
        await rig.Provider.MakeAsync(spec);
        var body = Body(Specs.New(), key: spec.Sandbox.ToString());

        var (status, problem) = await Requests.SendAsync(HttpMethod.Post, "/sandboxes", SignedRequests.Sign(HttpMethod.Post, "/sandboxes", body).ToString(), body);

        Assert.Equal((422, "rejected"), (status, problem!.Kind));
        Assert.Contains("was used for another create", problem.Detail, StringComparison.Ordinal);
        Assert.Single(await ListAsync());
    }

    [Fact]
    public async Task A_create_that_arrives_after_its_box_was_destroyed_makes_no_other_over_a_restart_too()
    {
        var spec = Specs.New();
        await rig.Provider.DestroyAsync(await rig.Provider.MakeAsync(spec), keepData: false, CancellationToken.None);
        await rig.StopHostAsync();
        await rig.StartHostAsync();

        var failure = await Assert.ThrowsAsync<PortException>(async () => await rig.Provider.MakeAsync(spec));

        Assert.Equal(PortFailureKind.Rejected, failure.Kind);
        Assert.Empty(await ListAsync());
    }

    [Fact]
    public async Task Everything_wrong_with_a_create_is_said_at_once()
    {
        var body = """{"idempotencyKey":"","name":"x","agent":"","bridge":{"url":"ftp://x","token":""}}"""u8.ToArray();

        var (status, problem) = await Requests.SendAsync(HttpMethod.Post, "/sandboxes", SignedRequests.Sign(HttpMethod.Post, "/sandboxes", body).ToString(), body);

        Assert.Equal(422, status);
        Assert.All(["idempotencyKey", "name must", "agent must", "resources must", "labels must", "bridge.url", "bridge.token", "bridge.session"], wanted => Assert.Contains(wanted, problem!.Detail, StringComparison.Ordinal));
    }

    private byte[] lastBody = [];

    private byte[] Body(SandboxSpec spec, string? key = null) => lastBody = JsonSerializer.SerializeToUtf8Bytes(
        new CreateSandboxBody(key ?? spec.Sandbox.ToString(), spec.Sandbox.ToString(), null, spec.Agent, new(1 << 28, 64, 1, 1 << 28), new Dictionary<string, string>(),
            new("http://127.0.0.1:9", spec.BridgeToken, spec.Organization.ToString(), spec.Session.ToString(), spec.Generation), null, 3600, spec.Labels),
        DataPlaneJson.Default.CreateSandboxBody);

    private async Task RefusedAsync(string code, string told, HttpMethod method, string target, string? authorization, byte[]? body = null)
    {
        var (status, problem) = await Requests.SendAsync(method, target, authorization, body);
        Assert.Equal((401, code), (status, problem!.Code));
        Assert.Contains(told, problem.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain(ModalRig.Secret, problem.Detail, StringComparison.Ordinal);
    }

    private async Task<IReadOnlyList<SandboxListing>> ListAsync()
    {
        List<SandboxListing> found = [];
        await foreach (var listing in rig.Provider.ListAsync(new Dictionary<string, string>(), CancellationToken.None)) found.Add(listing);
        return found;
    }
}
