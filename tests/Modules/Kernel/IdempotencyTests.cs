using Coordinator.Modules.Kernel.Idempotency;
using Coordinator.Ports;
using Coordinator.Tests.Modules.Tenancy;
using Coordinator.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Coordinator.Tests.Modules.Kernel;

public sealed class IdempotencyTests : IAsyncLifetime
{
    private KernelServer server = null!;
    private HttpClient program = null!;

    public async Task InitializeAsync()
    {
        server = await KernelServer.StartAsync();
        program = await server.ProgramAsync();
    }

    public async Task DisposeAsync()
    {
        program.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task The_same_key_and_body_answer_the_first_result_again()
    {
        using var first = await PostAsync("k1", "{\"a\":1}");
        using var second = await PostAsync("k1", "{\"a\":1}");

        Assert.Equal((201, 201), ((int)first.StatusCode, (int)second.StatusCode));
        Assert.Equal(await first.Content.ReadAsStringAsync(), await second.Content.ReadAsStringAsync());
        Assert.Equal(first.Content.Headers.ContentType, second.Content.Headers.ContentType);
        Assert.False(first.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal("true", second.Headers.GetValues("Idempotency-Replayed").Single());
        Assert.Equal(1, server.Runs);
    }

    [Fact]
    public async Task A_retry_of_an_ambiguous_delivery_runs_the_prompt_again_or_a_memory_only_dedupe_swallows_a_different_prompt()
    {
        await PostAsync("k1", "{\"a\":1}").JsonAsync(201);

        await PostAsync("k1", "{\"a\":2}").RefusedAsync(409, "idempotency_key_reused");
        await PostAsync("k1", "{\"a\":1}", "/v1/echo").RefusedAsync(409, "idempotency_key_reused");
        await PostAsync("k2", "{\"a\":2}").JsonAsync(201);

        Assert.Equal(2, server.Runs);
    }

    [Fact]
    public async Task A_key_is_its_callers_own()
    {
        using var other = await server.ProgramAsync();
        await PostAsync("k1", "{}").JsonAsync(201);

        await PostAsync("k1", "{\"other\":1}", by: other).JsonAsync(201);

        Assert.Equal(2, server.Runs);
    }

    [Fact]
    public async Task While_the_first_is_being_answered_a_second_is_told_to_wait()
    {
        var started = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        server.Work = async _ =>
        {
            started.SetResult();
            await release.Task;
            return Results.Json(new { made = true });
        };
        var first = PostAsync("k1", "{}");
        await started.Task.WaitAsync(TimeSpan.FromSeconds(10));

        using var second = await PostAsync("k1", "{}");
        release.SetResult();

        Assert.Equal("1", second.Headers.GetValues("Retry-After").Single());
        await Task.FromResult(second).RefusedAsync(409, "request_in_progress");
        await first.JsonAsync(200);
        Assert.Equal(1, server.Runs);
    }

    [Fact]
    public async Task A_repeat_that_is_known_for_one_does_not_wait_for_a_first_whose_host_may_have_died_over_it()
    {
        var release = new TaskCompletionSource();
        var started = new TaskCompletionSource();
        server.Work = async _ =>
        {
            started.SetResult();
            await release.Task;
            return Results.Json(new { made = "the first time" }, statusCode: 201);
        };
        var first = PostAsync("k1", "{}", "/v1/recognised");
        await started.Task.WaitAsync(TimeSpan.FromSeconds(60));

        server.Work = _ => Task.FromResult(Results.Json(new { made = "again" }, statusCode: 202));
        var second = await PostAsync("k1", "{}", "/v1/recognised").JsonAsync(202);
        await PostAsync("k1", "{\"other\":1}", "/v1/recognised").RefusedAsync(409, "idempotency_key_reused");
        release.SetResult();
        await first.JsonAsync(201);
        using var third = await PostAsync("k1", "{}", "/v1/recognised");

        Assert.Equal("again", second.GetProperty("made").GetString());
        Assert.Equal(202, (int)third.StatusCode);
        Assert.Equal("true", third.Headers.GetValues("Idempotency-Replayed").Single());
        Assert.Equal(2, server.Runs);
    }

    [Theory]
    [InlineData("/v1/recognised", 201, 2)]
    [InlineData("/v1/recognised", 422, 1)]
    [InlineData("/v1/things", 201, 1)]
    public async Task Only_an_answer_that_a_repeat_would_be_given_again_may_be_lost_with_the_store(string path, int status, int runs)
    {
        server.Work = _ => Task.FromResult(Results.Json(new { made = true }, statusCode: status));
        using var first = await PostAsync("k1", "{}", path);

        server.Directory.ForgetRecognisedRepeats();
        using var second = await PostAsync("k1", "{}", path);

        Assert.Equal((status, status, runs), ((int)first.StatusCode, (int)second.StatusCode, server.Runs));
    }

    [Fact]
    public async Task A_long_request_is_held_for_as_long_as_it_runs()
    {
        var started = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        server.Work = async _ =>
        {
            started.SetResult();
            await release.Task;
            return Results.Json(new { made = true });
        };
        var first = PostAsync("k1", "{}");
        await started.Task.WaitAsync(Eventually.Bound);

        for (var passed = TimeSpan.Zero; passed < 3 * ClaimHold.Held; passed += ClaimHold.Interval) await PassUntilHeldAsync();
        await PostAsync("k1", "{}").RefusedAsync(409, "request_in_progress");
        release.SetResult();
        await first.JsonAsync(200);
        Assert.Equal(1, server.Runs);
    }

    [Fact]
    public async Task A_request_whose_claim_cannot_be_held_is_ended_before_another_takes_it_over_within_seconds()
    {
        var first = await StartEndlessAsync();
        server.Directory.Faults.FailBefore();
        for (var passed = TimeSpan.Zero; passed < ClaimHold.GivenUpAfter; passed += ClaimHold.Interval) await PassUntilHeldAsync();
        await first.RefusedAsync(503, "dependency_unavailable");

        // As after a host that died: nobody holds the claim, and nobody has given it back.
        server.Directory.Faults.Clear();
        server.Work = _ => Task.FromResult(Results.Json(new { made = true }, statusCode: 201));
        await PostAsync("k1", "{}").RefusedAsync(409, "request_in_progress");
        server.Time.Advance(ClaimHold.Held - ClaimHold.GivenUpAfter);
        await PostAsync("k1", "{}").JsonAsync(201);
        Assert.Equal(2, server.Runs);
    }

    [Fact]
    public async Task A_request_whose_claim_another_has_taken_is_ended_and_leaves_the_others_alone()
    {
        var first = await StartEndlessAsync();
        server.Directory.ForgetRequests();
        server.Work = _ => Task.FromResult(Results.Json(new { made = true }, statusCode: 201));
        await PostAsync("k1", "{}").JsonAsync(201);

        await PassUntilHeldAsync();

        await first.RefusedAsync(503, "dependency_unavailable");
        await PostAsync("k1", "{}").JsonAsync(201);
        Assert.Equal(2, server.Runs);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(429)]
    public async Task What_a_retry_may_mend_is_not_remembered(int status)
    {
        server.Work = _ => Task.FromResult(Results.StatusCode(status));
        Assert.Equal(status, (int)(await PostAsync("k1", "{}")).StatusCode);

        server.Work = _ => Task.FromResult(Results.StatusCode(202));
        Assert.Equal(202, (int)(await PostAsync("k1", "{}")).StatusCode);
    }

    [Fact]
    public async Task A_port_that_fails_gives_the_key_back()
    {
        server.Work = _ => throw new PortException(PortFailureKind.Timeout, "no answer");
        await PostAsync("k1", "{}").RefusedAsync(503, "dependency_unavailable");

        server.Work = _ => Task.FromResult(Results.StatusCode(202));
        Assert.Equal(202, (int)(await PostAsync("k1", "{}")).StatusCode);
    }

    [Fact]
    public async Task A_refusal_is_a_result_and_is_answered_again()
    {
        server.Work = _ => Task.FromResult(Results.StatusCode(422));
        Assert.Equal(422, (int)(await PostAsync("k1", "{}")).StatusCode);

        server.Work = _ => Task.FromResult(Results.StatusCode(202));
        Assert.Equal(422, (int)(await PostAsync("k1", "{}")).StatusCode);
        Assert.Equal(1, server.Runs);
    }

    [Fact]
    public async Task A_secret_that_is_shown_once_is_never_stored()
    {
        server.Work = _ => Task.FromResult(Results.Json(new { key = "ck_shown-once" }, statusCode: 201));
        await PostAsync("k1", "{}", "/v1/secrets-once").JsonAsync(201);

        using var again = await PostAsync("k1", "{}", "/v1/secrets-once");

        Assert.DoesNotContain("ck_shown-once", await again.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await Task.FromResult(again).RefusedAsync(409, "answer_not_repeatable");
        Assert.Equal(1, server.Runs);
    }

    [Theory]
    [InlineData("has space")]
    [InlineData("has\ttab")]
    public async Task A_key_of_other_characters_is_refused(string key) => await PostAsync(key, "{}").RefusedAsync(400, "idempotency_key_invalid");

    [Fact]
    public async Task Keys_and_bodies_have_bounds()
    {
        await PostAsync(new string('k', 201), "{}").RefusedAsync(400, "idempotency_key_invalid");
        await PostAsync(new string('k', 200), "{}").JsonAsync(201);
        await PostAsync("big", new string('x', (1024 * 1024) + 1)).RefusedAsync(413, "request_too_large");
    }

    [Fact]
    public async Task When_the_memory_of_requests_is_down_nothing_runs()
    {
        server.Directory.Faults.FailBefore();

        await PostAsync("k1", "{}").RefusedAsync(503, "dependency_unavailable");

        Assert.Equal(0, server.Runs);
    }

    /// <summary>A request that runs until it is ended.</summary>
    private async Task<Task<HttpResponseMessage>> StartEndlessAsync()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        server.Work = async context =>
        {
            started.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
            return Results.Empty;
        };
        var first = PostAsync("k1", "{}");
        await started.Task.WaitAsync(Eventually.Bound);
        return first;
    }

    /// <summary>Lets the time pass after which a running request's claim is held again, once its host waits for that.</summary>
    private async Task PassUntilHeldAsync()
    {
        await Eventually.HoldsAsync(() => server.Time.NextIn == ClaimHold.Interval, "The next holding of the claim");
        server.Time.Advance(ClaimHold.Interval);
    }

    private async Task<HttpResponseMessage> PostAsync(string key, string body, string path = "/v1/things", HttpClient? by = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        return await (by ?? program).SendAsync(request);
    }
}
