using Coordinator.Sandbox.Events;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Journeys;

/// <summary>A box of each test's own, with everything real in it but the agent, against a control plane on a unix socket.</summary>
public abstract class BoxJourney : IAsyncLifetime
{
    private protected TestBox Box { get; } = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await Box.DisposeAsync();

    /// <summary>What the agent has said, each piece where it says that it belongs.</summary>
    private protected string Text()
    {
        var parts = new List<string>();
        foreach (var data in Box.Host.Events.Where(happened => happened.GetProperty("kind").GetString() == EventKinds.AgentText).Select(happened => happened.GetProperty("data")))
        {
            if (data.GetProperty("offset").GetInt32() == 0) parts.Add("");
            parts[^1] = parts[^1][..data.GetProperty("offset").GetInt32()] + data.GetProperty("text").GetString();
        }

        return string.Concat(parts);
    }
}
