using Coordinator.Adapters.Postgres.Journal;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>The bound on what waits to be written.</summary>
public sealed class ByteBudgetTests
{
    [Fact]
    public void Within_the_bound_nobody_waits()
    {
        var budget = new ByteBudget(10);

        Assert.True(budget.AcquireAsync(4, default).AsTask().IsCompletedSuccessfully);
        Assert.True(budget.AcquireAsync(6, default).AsTask().IsCompletedSuccessfully);
    }

    [Fact]
    public async Task What_is_taken_without_waiting_overtakes_nobody_who_waits()
    {
        var budget = new ByteBudget(10);
        Assert.True(budget.TryAcquire(8));
        var waiting = budget.AcquireAsync(9, default).AsTask();

        Assert.False(budget.TryAcquire(1));
        budget.Release(8);
        await waiting;
        Assert.True(budget.TryAcquire(1));
        Assert.False(budget.TryAcquire(1));
    }

    [Fact]
    public async Task Beyond_it_one_waits_until_enough_is_given_back()
    {
        var budget = new ByteBudget(10);
        await budget.AcquireAsync(8, default);
        var waiting = budget.AcquireAsync(5, default).AsTask();

        Assert.False(waiting.IsCompleted);
        budget.Release(8);
        await waiting;
    }

    [Fact]
    public async Task A_small_one_does_not_overtake_a_large_one_that_waits()
    {
        var budget = new ByteBudget(10);
        await budget.AcquireAsync(8, default);
        var large = budget.AcquireAsync(9, default).AsTask();
        var small = budget.AcquireAsync(1, default).AsTask();

        Assert.False(small.IsCompleted);
        budget.Release(8);
        await Task.WhenAll(large, small);
    }

    [Fact]
    public async Task More_than_the_whole_bound_is_let_through_alone()
    {
        var budget = new ByteBudget(10);
        await budget.AcquireAsync(1, default);
        var huge = budget.AcquireAsync(1_000, default).AsTask();
        Assert.False(huge.IsCompleted);

        budget.Release(1);
        await huge;
        budget.Release(1_000);

        Assert.True(budget.AcquireAsync(10, default).AsTask().IsCompletedSuccessfully);
    }

    [Fact]
    public async Task One_that_gives_up_makes_room_for_those_behind_it()
    {
        var budget = new ByteBudget(10);
        await budget.AcquireAsync(8, default);
        using var impatient = new CancellationTokenSource();
        var large = budget.AcquireAsync(9, impatient.Token).AsTask();
        var small = budget.AcquireAsync(2, default).AsTask();

        await impatient.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        await small;
    }
}
