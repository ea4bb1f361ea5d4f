using Coordinator.Ports.Compute;
using Coordinator.Tests.Support.Agents;
using Xunit;

namespace Coordinator.Tests.Conformance.AgentRuntime;

/// <summary>A turn followed to its end.</summary>
internal sealed record RecordedTurn(IReadOnlyList<AgentUpdate> Updates)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    public AgentUpdate.TurnEnded Ended => Assert.IsType<AgentUpdate.TurnEnded>(Updates[^1]);

    public string Text => UpdateFold.Text(Updates);

    /// <summary>Runs a turn; <paramref name="react"/> is told each update before the next is taken.</summary>
    public static async Task<RecordedTurn> OfAsync(IAgentRuntime runtime, AgentPrompt prompt, Func<AgentUpdate, Task>? react = null)
    {
        using var late = new CancellationTokenSource(Limit, TimeProvider.System);
        var updates = new List<AgentUpdate>();
        await foreach (var update in runtime.PromptAsync(prompt, late.Token))
        {
            updates.Add(update);
            if (react is not null) await react(update);
        }

        Assert.Single(updates.OfType<AgentUpdate.TurnEnded>());
        return new RecordedTurn(updates);
    }

    public T Single<T>()
        where T : AgentUpdate => Assert.Single(Updates.OfType<T>());
}
