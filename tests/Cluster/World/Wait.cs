using Xunit.Sdk;

namespace Coordinator.Tests.Cluster.World;

/// <summary>Waiting for something with a name, within a bound that only a fault reaches.</summary>
internal static class Wait
{
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    /// <summary>Looks until it is so.</summary>
    public static async Task UntilAsync(string expected, Func<Task<bool>> isSo, Func<string>? state = null)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await isSo())
        {
            if (TimeProvider.System.GetElapsedTime(began) > Bound) throw new XunitException($"{expected}: not within {Bound.TotalSeconds} s. {state?.Invoke()}");
            await Task.Delay(Look, TimeProvider.System);
        }
    }

    /// <inheritdoc cref="UntilAsync(string, Func{Task{bool}}, Func{string}?)"/>
    public static Task UntilAsync(string expected, Func<bool> isSo, Func<string>? state = null) => UntilAsync(expected, () => Task.FromResult(isSo()), state);

    /// <summary>What comes within the bound.</summary>
    public static async Task<T> ForAsync<T>(string expected, Task<T> coming)
    {
        try
        {
            return await coming.WaitAsync(Bound, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            throw new XunitException($"{expected}: not within {Bound.TotalSeconds} s.");
        }
    }
}
