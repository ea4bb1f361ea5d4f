using Coordinator.Adapters.Postgres.Journal;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>What the callers of a group are told, a few of them on each turn of the pool.</summary>
public sealed class PendingAppendTests
{
    private const int Capacity = 100_000;

    private readonly ByteBudget budget = new(Capacity);

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(61)]
    public async Task Every_caller_of_a_group_gets_its_own_answer(int size)
    {
        var group = Enumerable.Range(0, size).Select(_ => Pending()).ToList();
        var outcomes = group.Select(pending => pending.Outcome.AsTask()).ToList();
        var written = Enumerable.Range(0, size).Select(i => i % 3 != 1).ToArray();

        PendingAppend.Settle(group, written);

        Assert.Equal(written, await Task.WhenAll(outcomes));
        AssertNothingIsHeld();
    }

    [Fact]
    public async Task The_first_answer_counts()
    {
        var (failed, settled) = (Pending(), Pending());
        failed.Fail(new(PortFailureKind.Rejected, "refused"));
        settled.Settle(true);

        PendingAppend.Settle([failed, settled], [true, false]);
        settled.Fail(new(PortFailureKind.Unavailable, "too late"));

        Assert.Equal(PortFailureKind.Rejected, (await Assert.ThrowsAsync<PortException>(() => failed.Outcome.AsTask())).Kind);
        Assert.True(await settled.Outcome);
        AssertNothingIsHeld();
    }

    [Fact]
    public async Task One_that_was_taken_back_is_not_taken_up_and_gives_its_bytes_back()
    {
        var pending = Pending();
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        pending.TryTakeBack(cancelled.Token);

        Assert.False(pending.TryTakeUp());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending.Outcome.AsTask());
        AssertNothingIsHeld();
    }

    [Fact]
    public async Task One_that_was_taken_up_cannot_be_taken_back()
    {
        var pending = Pending();
        Assert.True(pending.TryTakeUp());

        pending.TryTakeBack(new CancellationToken(canceled: true));
        pending.Settle(true);

        Assert.True(await pending.Outcome);
        AssertNothingIsHeld();
    }

    /// <summary>No caller runs on the writer's turn: whatever it does next, the writer goes on.</summary>
    [Fact]
    public async Task A_caller_that_takes_long_holds_up_nobody_but_those_told_with_it()
    {
        using var held = new ManualResetEventSlim();
        var (slow, quick) = (Pending(), Pending());
        var slowly = WaitAsync(slow, held);
        var quickly = quick.Outcome.AsTask();

        PendingAppend.Settle([slow], [true]);
        PendingAppend.Settle([quick], [true]);

        Assert.True(await quickly.WaitAsync(TimeSpan.FromMinutes(2)));
        held.Set();
        Assert.True(await slowly.WaitAsync(TimeSpan.FromMinutes(2)));
    }

    private static async Task<bool> WaitAsync(PendingAppend pending, ManualResetEventSlim held)
    {
        var written = await pending.Outcome.ConfigureAwait(false);
        held.Wait(TimeSpan.FromMinutes(2));
        return written;
    }

    private PendingAppend Pending()
    {
        var key = new SessionKey(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        var pending = new PendingAppend(new(key, HostId.New(TimeProvider.System), 1, 0, 0, 1), new(0, "{}"u8.ToArray(), 0, DateTimeOffset.UnixEpoch, null, null), budget);
        Assert.True(budget.TryAcquire(pending.Bytes));
        return pending;
    }

    private void AssertNothingIsHeld() => Assert.True(budget.TryAcquire(Capacity), "Bytes were not given back.");
}
