using Coordinator.Adapters.InProcess;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

public sealed class EffectPoolTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);
    private static readonly SessionKey Key = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));

    [Theory]
    [InlineData("effect_failed")]
    [InlineData("effect_timeout")]
    public async Task Why_work_failed_is_said_so_that_it_is_true_also_of_the_last_try(string code)
    {
        await using var pool = new EffectPool([new Failing(hangs: code == "effect_timeout")], TimeSpan.FromMilliseconds(50), atOnce: 1, TimeProvider.System, NullLogger.Instance);
        var settled = new TaskCompletionSource<EffectOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);

        pool.Start(Key, "inspect", new SessionEffect.InspectSandbox(new("fake", "box", null)), outcome =>
        {
            settled.SetResult(outcome!);
            return Task.CompletedTask;
        });

        var failed = Assert.IsType<EffectOutcome.Failed>(await settled.Task.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(code, failed.Problem.Code);
        Assert.DoesNotContain("again", failed.Problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pool_that_has_ended_may_be_told_to_close_and_to_stop_again()
    {
        var pool = new EffectPool([new Gated()], TimeSpan.FromMinutes(5), atOnce: 1, TimeProvider.System, NullLogger.Instance);
        await pool.DisposeAsync();

        await pool.CloseAsync().WaitAsync(Bound);
        await pool.StopAsync().WaitAsync(Bound);

        Assert.False(pool.Start(Key, "inspect", Create(), _ => Task.CompletedTask));
    }

    /// <summary>The moment in which work is just being begun is a short one, so it is looked for many times.</summary>
    [Fact]
    public async Task A_pool_that_closes_in_the_moment_in_which_work_begins_settles_once_that_has_ended()
    {
        for (var round = 0; round < 2_000; round++)
        {
            var runner = new Gated();
            await using var pool = new EffectPool([runner], TimeSpan.FromMinutes(5), atOnce: 1, TimeProvider.System, NullLogger.Instance);
            using var together = new Barrier(2);
            var outcomes = 0;
            var begun = Task.Run(() =>
            {
                together.SignalAndWait();
                return pool.Start(Key, "inspect", Create(), _ => Task.FromResult(Interlocked.Increment(ref outcomes)));
            });

            together.SignalAndWait();
            var closed = pool.CloseAsync();
            var settling = pool.SettleAsync();
            var wasBegun = await begun;
            runner.Open();

            await Task.WhenAll(closed, settling).WaitAsync(Bound);
            Assert.Equal(wasBegun ? 1 : 0, outcomes);
        }
    }

    [Fact]
    public async Task Of_a_thousand_sessions_that_wake_at_once_only_so_many_make_boxes_at_once_and_all_come_to_it()
    {
        var runner = new Gated();
        await using var pool = new EffectPool([runner], TimeSpan.FromMinutes(5), atOnce: 8, TimeProvider.System, NullLogger.Instance);
        var settled = Enumerable.Range(0, 1_000).Select(n => Start(pool, $"create:{n}", Create())).ToList();
        await runner.Waiting(8);
        Assert.Equal(8, runner.UnderWay);

        runner.Open();

        await Task.WhenAll(settled).WaitAsync(Bound);
        Assert.Equal(8, runner.MostAtOnce);
        Assert.All(settled, one => Assert.IsType<EffectOutcome.Succeeded>(one.Result));
    }

    [Fact]
    public async Task Boxes_that_are_slow_to_make_keep_no_other_work_waiting()
    {
        var runner = new Gated(typeof(SessionEffect.CreateSandbox));
        await using var pool = new EffectPool([runner], TimeSpan.FromMinutes(5), atOnce: 2, TimeProvider.System, NullLogger.Instance);
        for (var n = 0; n < 10; n++) _ = Start(pool, $"create:{n}", Create());
        await runner.Waiting(2);

        Assert.IsType<EffectOutcome.Succeeded>(await Start(pool, "inspect", new SessionEffect.InspectSandbox(new("fake", "box", null))).WaitAsync(Bound));
        Assert.Equal(2, runner.UnderWay);
        runner.Open();
    }

    [Fact]
    public async Task Work_that_never_gets_its_turn_is_given_back_to_its_session_and_was_not_begun()
    {
        var time = new ManualTime();
        var runner = new Gated();
        await using var pool = new EffectPool([runner], TimeSpan.FromMinutes(2), atOnce: 1, time, NullLogger.Instance);
        _ = Start(pool, "first", Create());
        await runner.Waiting(1);
        var second = Start(pool, "second", Create());
        await time.WaitForTimersAsync(2);

        time.Advance(TimeSpan.FromMinutes(2));

        var failed = Assert.IsType<EffectOutcome.Failed>(await second.WaitAsync(Bound));
        Assert.True(failed.Retryable);
        Assert.Equal(1, runner.Begun);
        runner.Open();
    }

    private static SessionEffect.CreateSandbox Create() => new(SandboxId.New(TimeProvider.System), 1, new("demo/scripted", "opencode", null, PermissionMode.Auto));

    private static Task<EffectOutcome> Start(EffectPool pool, string key, SessionEffect effect)
    {
        var settled = new TaskCompletionSource<EffectOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        pool.Start(Key, key, effect, outcome =>
        {
            settled.SetResult(outcome!);
            return Task.CompletedTask;
        });
        return settled.Task;
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

    /// <summary>Work of the kind that is held ends when the gate is opened, and not before: not when it is told to stop either.</summary>
    private sealed class Gated(Type? held = null) : ISessionEffectRunner
    {
        private readonly Lock gate = new();
        private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly List<(int Count, TaskCompletionSource Reached)> waiters = [];

        public int Begun { get; private set; }

        public int UnderWay { get; private set; }

        public int MostAtOnce { get; private set; }

        public bool CanRun(SessionEffect effect) => true;

        public void Open() => opened.SetResult();

        /// <summary>Waits until so many are held at once.</summary>
        public Task Waiting(int count)
        {
            lock (gate)
            {
                var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                if (UnderWay >= count) reached.SetResult();
                else waiters.Add((count, reached));
                return reached.Task.WaitAsync(Bound);
            }
        }

        public async ValueTask<EffectOutcome> RunAsync(SessionKey key, SessionEffect effect, CancellationToken cancellationToken)
        {
            if (held is not null && effect.GetType() != held) return new EffectOutcome.Succeeded();
            lock (gate)
            {
                Begun++;
                MostAtOnce = Math.Max(MostAtOnce, ++UnderWay);
                foreach (var waiter in waiters.Where(waiter => waiter.Count <= UnderWay)) waiter.Reached.TrySetResult();
            }

            await opened.Task;
            lock (gate) UnderWay--;
            return new EffectOutcome.Succeeded();
        }
    }
}
