using Xunit;

namespace Coordinator.Tests.Support;

/// <summary>Waits for something that others do and tell nobody of: other threads, processes, a database. Bounded; what tells of itself is awaited.</summary>
public static class Eventually
{
    private const int LooksPerStep = 200;

    /// <summary>Only a fault reaches it.</summary>
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    /// <summary>
    /// Moves a clock on until a condition holds. More than one step may be needed, since a timer that another thread has yet
    /// to set is not due by a step made before; between steps it waits, so that what a step set off is not overtaken.
    /// </summary>
    public static async Task AdvanceAsync(ManualTime time, TimeSpan step, Func<bool> condition)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Bound, "It did not come about in time.");
            time.Advance(step);
            for (var look = 0; look < LooksPerStep && !condition(); look++) await Task.Delay(Pause, TimeProvider.System);
        }
    }

    /// <summary>Waits until a condition holds.</summary>
    /// <param name="condition">What must come about.</param>
    /// <param name="what">It, in words.</param>
    /// <param name="state">What is there instead, told when it does not.</param>
    public static Task HoldsAsync(Func<bool> condition, string what, Func<string>? state = null) => HoldsAsync(() => Task.FromResult(condition()), what, state);

    /// <inheritdoc cref="HoldsAsync(Func{bool}, string, Func{string}?)"/>
    public static async Task HoldsAsync(Func<Task<bool>> condition, string what, Func<string>? state = null)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Bound, $"{what} did not come about in time. {state?.Invoke()}");
            await Task.Delay(Pause, TimeProvider.System);
        }
    }

    /// <summary>What comes within the bound.</summary>
    public static async Task<T> ComesAsync<T>(Task<T> coming, string what)
    {
        try
        {
            return await coming.WaitAsync(Bound, TimeProvider.System);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{what} did not come in time.", late);
        }
    }
}
