using System.Text;
using Coordinator.Host.Starting;
using Coordinator.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Coordinator.Tests.Modules.Host;

/// <summary>What is asked of a host that is still starting.</summary>
public sealed class ReadinessGateTests : IDisposable
{
    private readonly ManualTime time = new();
    private readonly HostReadiness readiness = new();
    private readonly DefaultHttpContext context = new();
    private readonly MemoryStream answer = new();
    private readonly ApplicationLifetime lifetime = new(NullLogger<ApplicationLifetime>.Instance);
    private readonly ReadinessGate gate;
    private bool served;

    public ReadinessGateTests()
    {
        context.Response.Body = answer;
        gate = new(
            _ =>
            {
                served = true;
                return Task.CompletedTask;
            },
            readiness,
            lifetime,
            time);
    }

    public void Dispose() => answer.Dispose();

    [Theory]
    [InlineData("/v1/sessions")]
    [InlineData("/demo/node-sample.git")]
    public async Task A_call_of_the_api_is_refused_at_once_and_told_when_to_come_again(string path)
    {
        await AskAsync(path);

        Assert.Equal((503, "1", false), (context.Response.StatusCode, context.Response.Headers.RetryAfter.ToString(), served));
        Assert.Contains("host_starting", Encoding.UTF8.GetString(answer.ToArray()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/sessions")]
    [InlineData("/model/v1/demo/chat/completions")]
    [InlineData("/health/ready")]
    public async Task Once_the_host_is_ready_everything_is_served(string path)
    {
        readiness.Set();

        await AskAsync(path);

        Assert.Equal((200, true), (context.Response.StatusCode, served));
    }

    [Fact]
    public async Task A_model_call_waits_until_the_host_is_ready_and_is_served_then()
    {
        var asking = AskAsync("/model/v1/demo/chat/completions");
        Assert.False(asking.IsCompleted);

        readiness.Set();
        await asking.WaitAsync(Eventually.Bound);

        Assert.True(served);
    }

    [Fact]
    public async Task A_model_call_is_refused_when_the_host_is_not_ready_in_time()
    {
        var asking = AskAsync("/model/v1/demo/chat/completions");

        time.Advance(TimeSpan.FromSeconds(60));
        await asking.WaitAsync(Eventually.Bound);

        Assert.Equal((503, false), (context.Response.StatusCode, served));
    }

    [Fact]
    public async Task A_model_call_that_is_given_up_waits_no_more_and_is_not_served()
    {
        using var gone = new CancellationTokenSource();
        context.RequestAborted = gone.Token;
        var asking = AskAsync("/model/v1/demo/chat/completions");

        await gone.CancelAsync();
        await Record.ExceptionAsync(() => asking.WaitAsync(Eventually.Bound));

        Assert.True(asking.IsCompleted && !served);
    }

    [Fact]
    public async Task A_host_that_is_told_to_stop_while_it_starts_is_not_held_up_by_a_model_call()
    {
        var asking = AskAsync("/model/v1/demo/chat/completions");

        lifetime.StopApplication();
        await asking.WaitAsync(Eventually.Bound);

        Assert.Equal((503, false), (context.Response.StatusCode, served));
    }

    private Task AskAsync(string path)
    {
        context.Request.Path = path;
        return gate.InvokeAsync(context);
    }
}
