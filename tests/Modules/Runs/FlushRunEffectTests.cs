using Coordinator.Fakes;
using Coordinator.Modules.Runs;
using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Coordinator.Tests.Modules.Runs;

public sealed class FlushRunEffectTests
{
    private readonly InMemoryRunHistory history = new();
    private readonly SessionKey key = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
    private readonly CapturedLog log = new();
    private readonly ISessionEffectRunner runner;

    public FlushRunEffectTests() => runner = new ServiceCollection()
        .AddLogging(logging => logging.AddProvider(log))
        .AddSingleton<IRunHistory>(history)
        .AddRunsModule()
        .BuildServiceProvider()
        .GetRequiredService<ISessionEffectRunner>();

    private RunRecord Run => Runs.Finished(key.Organization, key.Session, 1);

    [Fact]
    public async Task A_finished_run_is_written_and_no_other_effect_is_taken()
    {
        var run = Run;

        Assert.IsType<EffectOutcome.Succeeded>(await runner.RunAsync(key, new SessionEffect.FlushRun(run), default));

        Assert.Equal(run, (await history.FindAsync(key.Organization, run.Id, default))?.Run);
        Assert.True(runner.CanRun(new SessionEffect.FlushRun(run)));
        Assert.False(runner.CanRun(new SessionEffect.DestroySandbox(run.Sandbox, 1, null, KeepData: false)));
    }

    [Theory]
    [InlineData(PortFailureKind.Unavailable)]
    [InlineData(PortFailureKind.Timeout)]
    [InlineData(PortFailureKind.Full)]
    [InlineData(PortFailureKind.Limited)]
    [InlineData(PortFailureKind.Unauthorized)]
    public async Task While_the_history_is_down_the_session_is_told_to_ask_again(PortFailureKind kind)
    {
        var run = Run;
        history.Faults.FailBefore(kind);

        var failed = Assert.IsType<EffectOutcome.Failed>(await runner.RunAsync(key, new SessionEffect.FlushRun(run), default));

        Assert.True(failed.Retryable);
        Assert.Equal("run_history_unavailable", failed.Problem.Code);
        history.Faults.Clear();
        Assert.IsType<EffectOutcome.Succeeded>(await runner.RunAsync(key, new SessionEffect.FlushRun(run), default));
    }

    [Fact]
    public async Task A_run_the_history_refuses_for_what_it_is_is_not_tried_for_ever()
    {
        history.Faults.FailBefore(PortFailureKind.Rejected);

        var failed = Assert.IsType<EffectOutcome.Failed>(await runner.RunAsync(key, new SessionEffect.FlushRun(Run), default));

        Assert.Equal(("run_rejected", false), (failed.Problem.Code, failed.Retryable));
    }

    [Fact]
    public async Task A_run_that_holds_what_no_database_keeps_is_refused_and_said_as_an_error_once()
    {
        var failed = Assert.IsType<EffectOutcome.Failed>(await runner.RunAsync(key, new SessionEffect.FlushRun(Run with { FailureCode = "a\0" }), default));

        Assert.Equal(("run_rejected", false), (failed.Problem.Code, failed.Retryable));
        Assert.StartsWith("Error ", log.Text, StringComparison.Ordinal);
        await runner.RunAsync(key, new SessionEffect.FlushRun(Run with { FailureCode = "a\0" }, WasRefused: true), default);
        Assert.Equal(["Error", "Warning"], log.Text.Split('\n').Where(line => line.Contains(" Run run_", StringComparison.Ordinal)).Select(line => line.Split(' ')[0]));
    }

    [Fact]
    public async Task A_resent_error_is_stored_twice()
    {
        var run = Run with { Outcome = "failed", FailureCode = "model_error" };
        history.Faults.LoseResponses(calls: 1);

        Assert.True(Assert.IsType<EffectOutcome.Failed>(await runner.RunAsync(key, new SessionEffect.FlushRun(run), default)).Retryable);
        Assert.IsType<EffectOutcome.Succeeded>(await runner.RunAsync(key, new SessionEffect.FlushRun(run), default));

        Assert.Single(await history.ListAsync(key.Organization, key.Session, null, 10, default));
    }

    [Fact]
    public async Task A_session_cannot_write_a_run_of_another() =>
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await runner.RunAsync(key, new SessionEffect.FlushRun(Run with { Organization = OrganizationId.New(TimeProvider.System) }), default));
}
