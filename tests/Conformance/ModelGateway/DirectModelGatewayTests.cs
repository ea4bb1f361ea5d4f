using System.Text;
using Coordinator.Adapters.DirectModels;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Models;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.ModelGateway;

public sealed class DirectModelGatewayTests : ModelGatewayContract
{
    private readonly ManualTime time = new();
    private DirectRig rig = null!;

    private protected override IModelGatewayRig Rig => rig;

    private UpstreamPeer Peer => rig.Peer;

    public override async Task InitializeAsync()
    {
        rig = new(await UpstreamPeer.StartAsync(), time);
        await base.InitializeAsync();
    }

    [Fact]
    public async Task The_key_goes_where_the_wire_wants_it_and_the_path_below_the_base_url()
    {
        await SendAsync("acme/fast");
        await SendAsync("claude/opus", "messages");

        Assert.Equal(("/openai/v1/chat/completions", $"Bearer {Key}"), (Peer.Calls[0].Path, Peer.Calls[0].Headers["Authorization"]));
        Assert.Equal(("/v1/messages", Key, "2023-06-01"), (Peer.Calls[1].Path, Peer.Calls[1].Headers["x-api-key"], Peer.Calls[1].Headers["anthropic-version"]));
        Assert.False(Peer.Calls[1].Headers.ContainsKey("Authorization"));
        Assert.Equal("""{"model":"fast"}""", Peer.Calls[0].Body);
    }

    [Fact]
    public async Task A_caller_says_nothing_for_itself_but_what_its_wire_needs()
    {
        await SendAsync("claude/opus", "messages", new() { ["anthropic-beta"] = "b1", ["anthropic-version"] = "2024-01-01", ["Authorization"] = "Bearer box", ["x-api-key"] = "box", ["Cookie"] = "c=1", ["X-Forwarded-For"] = "1.2.3.4" });

        var headers = Assert.Single(Peer.Calls).Headers;
        Assert.Equal(("b1", "2024-01-01", Key), (headers["anthropic-beta"], headers["anthropic-version"], headers["x-api-key"]));
        Assert.DoesNotContain("Cookie", headers.Keys);
        Assert.DoesNotContain("Authorization", headers.Keys);
        Assert.DoesNotContain("X-Forwarded-For", headers.Keys);
    }

    [Fact]
    public async Task A_redirect_is_not_followed_so_the_key_goes_nowhere_else()
    {
        Peer.Enqueue(ModelAnswer.Json(307, "{}"));

        await using var answer = (await rig.Gateway.SendAsync(Mine, Request("acme/fast"), default)).Value;

        Assert.Equal(307, answer.Status);
        Assert.Single(Peer.Calls);
    }

    [Fact]
    public async Task An_upstream_that_says_nothing_is_given_up_after_its_time()
    {
        var never = new TaskCompletionSource();
        Peer.Enqueue(new ModelAnswer(200, "application/json", []) { Gate = never.Task });
        var sending = rig.Gateway.SendAsync(Mine, Request("acme/fast"), default).AsTask();
        await Peer.ArrivedAsync();

        time.Advance(TimeSpan.FromSeconds(120));

        var failure = await PortAssert.FailsAsync(PortFailureKind.Timeout, () => new ValueTask<Result<ModelResponse>>(sending));
        Assert.True(failure.EffectMayHaveHappened);
    }

    [Fact]
    public async Task An_upstream_that_falls_silent_inside_its_answer_is_given_up_after_its_time()
    {
        var never = new TaskCompletionSource();
        Peer.Enqueue(ModelAnswer.Stream("data: one\n\n", "never") with { Gate = never.Task });
        await using var answer = (await rig.Gateway.SendAsync(Mine, Request("acme/fast"), default)).Value;
        await answer.Body.ReadExactlyAsync(new byte["data: one\n\n".Length]);
        var reading = answer.Body.ReadAsync(new byte[1]);

        time.Advance(TimeSpan.FromSeconds(119));
        Assert.False(reading.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));

        await PortAssert.FailsAsync(PortFailureKind.Timeout, () => reading);
    }

    [Fact]
    public async Task An_organization_can_describe_a_provider_of_its_own_in_a_secret()
    {
        await rig.SetKeyAsync(Mine, "own", $$"""{"baseUrl":"{{Peer.Address}}own/v1","apiKey":"{{Key}}"}""");
        var gateway = rig.WithExceptions("127.0.0.1");

        await using var answer = (await gateway.SendAsync(Mine, Request("own/fast"), default)).Value;

        Assert.Equal(200, answer.Status);
        Assert.Equal(("/own/v1/chat/completions", $"Bearer {Key}"), (Peer.Calls[0].Path, Peer.Calls[0].Headers["Authorization"]));
        Assert.Contains((await gateway.ListProvidersAsync(Mine, default)), provider => provider is { Name: "own", Ready: true });
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    [InlineData("[::ffff:127.0.0.1]")]
    public async Task An_address_that_an_organization_gives_cannot_reach_inside(string host)
    {
        await rig.SetKeyAsync(Mine, "inside", $$"""{"baseUrl":"http://{{host}}:{{Peer.Address.Port}}/v1","apiKey":"{{Key}}"}""");

        var failure = await PortAssert.FailsAsync(PortFailureKind.Rejected, () => rig.Gateway.SendAsync(Mine, Request("inside/fast"), default));

        Assert.Contains("not on the public internet", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, failure.ToString(), StringComparison.Ordinal);
        Assert.Empty(Peer.Calls);
    }

    [Fact]
    public async Task An_organization_that_moves_a_known_provider_does_not_get_the_deployments_headers()
    {
        await SendAsync("acme/fast");
        await rig.SetKeyAsync(Mine, "acme", $$"""{"baseUrl":"{{Peer.Address}}mine","apiKey":"{{Key}}"}""");

        await using var answer = (await rig.WithExceptions("127.0.0.1").SendAsync(Mine, Request("acme/fast"), default)).Value;

        Assert.Equal("operator-secret", Peer.Calls[0].Headers["X-Operator"]);
        Assert.False(Peer.Calls[1].Headers.ContainsKey("X-Operator"));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("""{"baseUrl":"file:///etc/passwd"}""")]
    [InlineData("""{"baseUrl":"relative"}""")]
    [InlineData("""{"baseUrl":"http://user:password@example.com/"}""")]
    [InlineData("""{"baseUrl":"https://example.com","wire":"smoke"}""")]
    [InlineData("just a key")]
    public async Task A_description_that_describes_nothing_is_told_without_being_repeated(string secret)
    {
        await rig.SetKeyAsync(Mine, "own", secret);

        var route = await rig.Gateway.ResolveAsync(Mine, "own/fast", default);

        Assert.Equal("model_key_missing", route.Problem?.Code);
        Assert.Contains("models/own", route.Problem!.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("password@", route.Problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_with_a_line_break_cannot_smuggle_a_header()
    {
        await rig.SetKeyAsync(Mine, "acme", "sk-1\r\nX-Evil: 1");

        Assert.Equal("model_key_missing", (await rig.Gateway.SendAsync(Mine, Request("acme/fast"), default)).Problem?.Code);
        Assert.Empty(Peer.Calls);
    }

    [Fact]
    public async Task A_provider_of_the_deployments_own_machine_needs_no_key()
    {
        await using var answer = (await rig.Gateway.SendAsync(OrganizationId.New(TimeProvider.System), Request("ollama/llama"), default)).Value;

        Assert.Equal(200, answer.Status);
        Assert.False(Peer.Calls[0].Headers.ContainsKey("Authorization"));
    }

    [Fact]
    public async Task A_provider_the_process_brings_along_is_called_with_its_own_key()
    {
        var source = new Source(new("demo", "Demo", new Uri(Peer.Address, "demo/v1"), "process-key", ModelWire.OpenAiChat, IsDemo: true));
        var gateway = rig.With(source);
        var anybody = OrganizationId.New(TimeProvider.System);

        await using var answer = (await gateway.SendAsync(anybody, Request("demo/scripted"), default)).Value;

        Assert.Equal("Bearer process-key", Peer.Calls[0].Headers["Authorization"]);
        Assert.True((await gateway.ResolveAsync(anybody, "demo/scripted", default)).Value.IsDemo);
        Assert.Contains(await gateway.ListProvidersAsync(anybody, default), provider => provider is { Name: "demo", IsDemo: true, Ready: true, SecretName: null });
    }

    [Fact]
    public void Settings_that_contradict_each_other_are_all_told_at_start()
    {
        var failure = Assert.Throws<OptionsValidationException>(() => DirectRig.Services(
            time, new("Models:ConnectTimeout", "00:05:00"), new("Models:IdleTimeout", "00:00:00"), new("Models:Providers:Bad Name:BaseUrl", "ftp://x"), new("Models:AddressExceptions:0", "!")).GetRequiredService<IModelGateway>());

        Assert.Equal(5, failure.Failures.Count());
    }

    private async Task SendAsync(string model, string path = "chat/completions", Dictionary<string, string>? headers = null)
    {
        await using var answer = (await rig.Gateway.SendAsync(Mine, Request(model, path, headers), default)).Value;
        Assert.Equal(200, answer.Status);
    }

    private sealed class Source(BuiltInModelProvider provider) : IModelProviderSource
    {
        public BuiltInModelProvider? Find(string name) => name == provider.Name ? provider : null;

        public IReadOnlyList<BuiltInModelProvider> List() => [provider];
    }

    private sealed class DirectRig : IModelGatewayRig
    {
        private readonly TimeProvider time;
        private readonly ServiceProvider services;
        private readonly List<ServiceProvider> others = [];

        public DirectRig(UpstreamPeer peer, TimeProvider time)
        {
            (Peer, this.time) = (peer, time);
            services = Services(time, Settings());
        }

        public UpstreamPeer Peer { get; }

        public IModelGateway Gateway => services.GetRequiredService<IModelGateway>();

        public static ServiceProvider Services(TimeProvider time, params KeyValuePair<string, string?>[] settings) => Collection(time, new InMemoryTenantDirectory(time), new InMemoryTenantVault(), settings).BuildServiceProvider();

        public IModelGateway WithExceptions(params string[] exceptions) =>
            Other([.. exceptions.Select((entry, index) => KeyValuePair.Create($"Models:AddressExceptions:{index}", (string?)entry))]);

        public IModelGateway With(IModelProviderSource source) => Other([], source);

        public OrganizationId NewOrganization() => ((InMemoryTenantDirectory)services.GetRequiredService<ITenantDirectory>()).AddOrganization("Acme");

        public async Task SetKeyAsync(OrganizationId organization, string provider, string key)
        {
            var name = $"models/{provider}";
            var vault = services.GetRequiredService<ITenantVault>();
            var secret = new StoredSecret(name, await vault.SealAsync(organization, name, Encoding.UTF8.GetBytes(key), default), "hint", time.GetUtcNow());
            await services.GetRequiredService<ITenantDirectory>().PutSecretAsync(organization, secret, default);
        }

        public void Enqueue(ModelAnswer answer) => Peer.Enqueue(answer);

        public Task StopUpstreamAsync() => Peer.StopAsync();

        public async Task NoneOpenAsync()
        {
            using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            while (Peer.Open > 0) await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, bound.Token);
        }

        public async ValueTask DisposeAsync()
        {
            await services.DisposeAsync();
            foreach (var other in others) await other.DisposeAsync();
            await Peer.DisposeAsync();
        }

        private IModelGateway Other(KeyValuePair<string, string?>[] settings, IModelProviderSource? source = null)
        {
            var collection = Collection(time, services.GetRequiredService<ITenantDirectory>(), services.GetRequiredService<ITenantVault>(), [.. Settings(), .. settings]);
            if (source is not null) collection.AddSingleton(source);
            others.Add(collection.BuildServiceProvider());
            return others[^1].GetRequiredService<IModelGateway>();
        }

        private KeyValuePair<string, string?>[] Settings() =>
        [
            new("Models:Providers:acme:BaseUrl", new Uri(Peer.Address, "openai/v1").AbsoluteUri),
            new("Models:Providers:acme:Headers:X-Operator", "operator-secret"),
            new("Models:Providers:claude:BaseUrl", new Uri(Peer.Address, "v1/").AbsoluteUri),
            new("Models:Providers:claude:Wire", "AnthropicMessages"),
            new("Models:Providers:claude:Auth", "XApiKey"),
            new("Models:Providers:ollama:BaseUrl", new Uri(Peer.Address, "ollama/v1").AbsoluteUri),
        ];

        private static IServiceCollection Collection(TimeProvider time, ITenantDirectory directory, ITenantVault vault, KeyValuePair<string, string?>[] settings) => new ServiceCollection()
            .AddSingleton(time)
            .AddSingleton(directory)
            .AddSingleton(vault)
            .AddDirectModels(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
    }
}
