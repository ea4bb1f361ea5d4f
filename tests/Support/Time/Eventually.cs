using Xunit;

namespace Coordinator.Tests.Support;

/// <summary>Waits for something that others do and tell nobody of: other threads, processes, a database. Bounded; what tells of itself is awaited.</summary>
public static class Eventually
{
    private const int LooksPerStep = 200;

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);
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
    public static Task HoldsAsync(Func<bool> condition, string what) => HoldsAsync(() => Task.FromResult(condition()), what);

    /// <inheritdoc cref="HoldsAsync(Func{bool}, string)"/>
    public static async Task HoldsAsync(Func<Task<bool>> condition, string what)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Bound, $"{what} did not come about in time.");
            await Task.Delay(Pause, TimeProvider.System);
        }
    }
}
