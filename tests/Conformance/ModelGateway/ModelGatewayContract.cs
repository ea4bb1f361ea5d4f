using System.Text;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Models;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.ModelGateway;

/// <summary>What <see cref="IModelGateway"/> promises, for every implementation of it.</summary>
public abstract class ModelGatewayContract : IAsyncLifetime
{
    private protected const string Key = "sk-canary-0123456789";

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    private protected abstract IModelGatewayRig Rig { get; }

    private protected OrganizationId Mine { get; private set; }

    private OrganizationId Theirs { get; set; }

    private IModelGateway Gateway => Rig.Gateway;

    public virtual async Task InitializeAsync()
    {
        (Mine, Theirs) = (Rig.NewOrganization(), Rig.NewOrganization());
        await Rig.SetKeyAsync(Mine, "acme", Key);
        await Rig.SetKeyAsync(Mine, "claude", Key);
    }

    public virtual async Task DisposeAsync() => await Rig.DisposeAsync();

    [Fact]
    public async Task A_model_is_resolved_to_its_provider_its_own_name_and_wire()
    {
        Assert.Equal(new ModelRoute("acme", "vendor/fast", ModelWire.OpenAiChat, IsDemo: false), (await Gateway.ResolveAsync(Mine, "acme/vendor/fast", default)).Value);
        Assert.Equal(ModelWire.AnthropicMessages, (await Gateway.ResolveAsync(Mine, "claude/opus", default)).Value.Wire);
    }

    [Theory]
    [InlineData("")]
    [InlineData("fast")]
    [InlineData("/fast")]
    [InlineData("acme/")]
    [InlineData("acme/two words")]
    public Task A_name_that_is_not_provider_and_model_is_invalid(string model) => RefusedAsync("model_invalid", Mine, model);

    [Fact]
    public Task A_provider_nobody_knows_is_unknown() => RefusedAsync("model_provider_unknown", Mine, "nobody/fast");

    [Fact]
    public async Task A_missing_key_is_told_with_the_secret_to_set()
    {
        var problem = await RefusedAsync("model_key_missing", Theirs, "acme/fast");

        Assert.Contains("models/acme", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Providers_are_ready_for_those_who_have_what_they_need()
    {
        var mine = (await Gateway.ListProvidersAsync(Mine, default)).Single(provider => provider.Name == "acme");
        var theirs = (await Gateway.ListProvidersAsync(Theirs, default)).Single(provider => provider.Name == "acme");

        Assert.True(mine.Ready);
        Assert.False(theirs.Ready);
        Assert.Equal("models/acme", mine.SecretName);
    }

    [Fact]
    public async Task An_answer_streams_as_it_comes()
    {
        var gate = new TaskCompletionSource();
        Rig.Enqueue(ModelAnswer.Stream("data: one\n\n", "data: two\n\n") with { Gate = gate.Task });

        await using var answer = await SendAsync();
        var first = await ReadAsync(answer, "data: one\n\n".Length);
        gate.SetResult();

        Assert.Equal(200, answer.Status);
        Assert.StartsWith("text/event-stream", answer.Headers["Content-Type"], StringComparison.Ordinal);
        Assert.Equal("data: one\n\n", first);
        Assert.Equal("data: two\n\n", await ReadAllAsync(answer));
    }

    [Fact]
    public async Task A_refused_key_is_an_answer_and_the_key_is_not_in_it()
    {
        Rig.Enqueue(ModelAnswer.KeyRefused(Key));

        await using var answer = await SendAsync();

        Assert.Equal(401, answer.Status);
        Assert.DoesNotContain(Key, await ReadAllAsync(answer), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_limit_is_an_answer_with_its_wait()
    {
        Rig.Enqueue(ModelAnswer.RateLimited(TimeSpan.FromSeconds(7)));

        await using var answer = await SendAsync();

        Assert.Equal(429, answer.Status);
        Assert.Equal("7", answer.Headers["Retry-After"]);
        Assert.Contains("Rate limit", await ReadAllAsync(answer), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_provider_that_is_down_is_an_answer_and_is_not_asked_again()
    {
        Rig.Enqueue(ModelAnswer.Broken());
        Rig.Enqueue(ModelAnswer.Json(200, "{}"));

        await using var answer = await SendAsync();

        Assert.Equal(503, answer.Status);
    }

    [Fact]
    public async Task An_answer_that_is_cut_fails_where_it_is_cut()
    {
        var gate = new TaskCompletionSource();
        Rig.Enqueue(ModelAnswer.Stream("data: one\n\n", "data: tw") with { Gate = gate.Task, CutAtEnd = true });
        await using var answer = await SendAsync();
        await ReadAsync(answer, "data: one\n\n".Length);
        gate.SetResult();

        var failure = await PortAssert.FailsAsync(PortFailureKind.Unavailable, async ValueTask<string> () => await ReadAllAsync(answer));

        Assert.True(failure.EffectMayHaveHappened);
        Assert.DoesNotContain(Key, failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Leaving_an_answer_early_ends_the_call_upstream()
    {
        var never = new TaskCompletionSource();
        Rig.Enqueue(ModelAnswer.Stream("data: one\n\n", "never") with { Gate = never.Task });
        var answer = await SendAsync();
        await ReadAsync(answer, 5);

        await answer.DisposeAsync();

        await Rig.NoneOpenAsync().WaitAsync(Bound);
    }

    [Fact]
    public async Task Reading_can_be_cancelled()
    {
        var never = new TaskCompletionSource();
        Rig.Enqueue(ModelAnswer.Stream("data: one\n\n", "never") with { Gate = never.Task });
        await using var answer = await SendAsync();
        await ReadAsync(answer, "data: one\n\n".Length);
        using var cancel = new CancellationTokenSource();
        var reading = answer.Body.ReadAsync(new byte[1], cancel.Token).AsTask();

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(Bound));
    }

    [Fact]
    public async Task An_upstream_that_cannot_be_reached_is_a_failure_without_effect()
    {
        await Rig.StopUpstreamAsync();

        var failure = await PortAssert.FailsAsync(PortFailureKind.Unavailable, () => Gateway.SendAsync(Mine, Request("acme/fast"), default));

        Assert.False(failure.EffectMayHaveHappened);
        Assert.DoesNotContain(Key, failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_sent_for_those_without_a_key()
    {
        var sent = await Gateway.SendAsync(Theirs, Request("acme/fast"), default);

        Assert.Equal("model_key_missing", sent.Problem?.Code);
    }

    private protected static ModelRequest Request(string model, string path = "chat/completions", Dictionary<string, string>? headers = null) =>
        new(model, path, """{"model":"fast"}"""u8.ToArray(), headers ?? []);

    private protected static async Task<string> ReadAllAsync(ModelResponse answer)
    {
        using var bytes = new MemoryStream();
        await answer.Body.CopyToAsync(bytes);
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    private async Task<ModelResponse> SendAsync() => (await Gateway.SendAsync(Mine, Request("acme/fast"), default)).Value;

    private async Task<Problem> RefusedAsync(string code, OrganizationId organization, string model)
    {
        var route = await Gateway.ResolveAsync(organization, model, default);
        Assert.Equal(code, route.Problem?.Code);
        Assert.Equal(ProblemKind.Unprocessable, route.Problem!.Kind);
        return route.Problem;
    }

    private static async Task<string> ReadAsync(ModelResponse answer, int bytes)
    {
        var buffer = new byte[bytes];
        await answer.Body.ReadExactlyAsync(buffer).AsTask().WaitAsync(Bound);
        return Encoding.UTF8.GetString(buffer);
    }
}
