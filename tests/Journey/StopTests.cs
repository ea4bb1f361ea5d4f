using Coordinator.Cli.Journey;
using Xunit;

namespace Coordinator.Tests.Journey;

/// <summary>A host that is told to stop while an agent's model speaks.</summary>
public sealed class StopTests(StoppedHost host) : IClassFixture<StoppedHost>
{
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task A_model_that_speaks_when_its_host_is_told_to_stop_is_heard_out_and_paid_for_once()
    {
        await using var run = await host.StartSessionAsync();
        await run.EndAsync(await run.PromptAsync("count to 5", CancellationToken.None), "message.completed", Turn, CancellationToken.None); // the session has its title now

        var message = await run.PromptAsync("count to 150", CancellationToken.None);
        await run.WaitAsync("its first words", e => e.MessageId == message && e.Type == "agent.text", Turn, CancellationToken.None);
        await host.Process.StopAsync();
        await host.Process.StartAsync();

        await run.EndAsync(message, "message.completed", Turn, CancellationToken.None);
        Assert.Equal(string.Join(' ', Enumerable.Range(1, 150)), run.TextOf(message).Trim());
        Assert.Single(run.EventsOf(message), e => e.Type == "usage.recorded");
        Assert.DoesNotContain(run.EventsOf(message), e => e.Type == "agent.retrying"); // as one does whose answer was cut
    }
}

/// <summary>A host of these tests alone, which is stopped.</summary>
public sealed class StoppedHost : JourneyHost;
