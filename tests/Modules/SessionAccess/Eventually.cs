using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

/// <summary>Waits for something that other threads do, bounded.</summary>
internal static class Eventually
{
    private const int LooksPerStep = 200;

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);
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
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Bound, "It did not happen in time.");
            time.Advance(step);
            for (var look = 0; look < LooksPerStep && !condition(); look++) await Task.Delay(Pause, TimeProvider.System);
        }
    }

    /// <summary>Waits until a condition holds.</summary>
    public static async Task HoldsAsync(Func<bool> condition, string what)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Bound, $"{what} did not happen in time.");
            await Task.Delay(Pause, TimeProvider.System);
        }
    }
}
