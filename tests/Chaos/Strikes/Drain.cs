using Coordinator.Tests.Chaos.Checks;

namespace Coordinator.Tests.Chaos.Strikes;

/// <summary>Tells a host to end.</summary>
internal static class Drain
{
    /// <summary>What is to be said against how it ended; null for nothing.</summary>
    public static async Task<Finding?> EndAsync(Func<Task> stop)
    {
        try
        {
            await stop();
            return null;
        }
        catch (InvalidOperationException wrong)
        {
            return new(FindingKind.Broken, "all", $"a drained host: {wrong.Message}");
        }
    }
}
