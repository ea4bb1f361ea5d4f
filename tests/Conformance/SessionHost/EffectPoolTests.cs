using Coordinator.Adapters.InProcess;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

public sealed class EffectPoolTests
{
    private static readonly SessionKey Key = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));

    [Theory]
    [InlineData("effect_failed")]
    [InlineData("effect_timeout")]
    public async Task Why_work_failed_is_said_so_that_it_is_true_also_of_the_last_try(string code)
    {
        await using var pool = new EffectPool([new Failing(hangs: code == "effect_timeout")], TimeSpan.FromMilliseconds(50), TimeProvider.System, NullLogger.Instance);
        var settled = new TaskCompletionSource<EffectOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);

        pool.Start(Key, "inspect", new SessionEffect.InspectSandbox(new("fake", "box", null)), outcome =>
        {
            settled.SetResult(outcome);
            return Task.CompletedTask;
        });

        var failed = Assert.IsType<EffectOutcome.Failed>(await settled.Task.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(code, failed.Problem.Code);
        Assert.DoesNotContain("again", failed.Problem.Detail, StringComparison.Ordinal);
    }

    private sealed class Failing(bool hangs) : ISessionEffectRunner
    {
        public bool CanRun(SessionEffect effect) => true;

        public async ValueTask<EffectOutcome> RunAsync(SessionKey key, SessionEffect effect, CancellationToken cancellationToken)
        {
            if (hangs) await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            throw new InvalidDataException("Nobody foresaw this.");
        }
    }
}
