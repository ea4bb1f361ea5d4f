using Coordinator.Cli.Journey;
using Xunit;

namespace Coordinator.Tests.Journey;

/// <summary>An agent that fills its box's disk is stopped and told so; the session goes on, and the machine keeps its room.</summary>
public sealed class FullDiskTests(SmallDiskHost host) : IClassFixture<SmallDiskHost>
{
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task An_agent_that_fills_its_disk_is_stopped_with_a_typed_error_and_can_make_room_again()
    {
        await using var run = await host.StartSessionAsync();
        var keep = await run.PromptAsync("run `echo precious > keep.txt`", CancellationToken.None);
        await run.EndAsync(keep, "message.completed", Turn, CancellationToken.None);

        var filling = await run.PromptAsync("run `for i in $(seq 40); do head -c 8000000 /dev/zero > fill$i; done; sleep 300`", CancellationToken.None);
        var failed = await run.EndAsync(filling, "message.failed", Turn, CancellationToken.None);
        Assert.Equal("disk_full", failed.Text("code"));
        Assert.Contains($"{SmallDiskHost.DiskBytes / 1024 / 1024} MiB", failed.Text("detail"), StringComparison.Ordinal);

        var removing = await run.PromptAsync("run `rm fill*; cat keep.txt; ps -ef | grep -c [s]leep`", CancellationToken.None);
        await run.EndAsync(removing, "message.completed", Turn, CancellationToken.None);
        var tool = Assert.Single(run.EventsOf(removing), e => e.Type == "tool.completed");
        Assert.Equal(["precious", "0"], tool.Text("output")!.Split('\n', StringSplitOptions.RemoveEmptyEntries));

        var next = await run.PromptAsync("count to 5", CancellationToken.None);
        await run.EndAsync(next, "message.completed", Turn, CancellationToken.None);
        Assert.Contains("4 5", run.TextOf(next), StringComparison.Ordinal);
        Assert.Single(run.Log.Snapshot(), e => e.Type == "sandbox.requested");
    }
}

/// <summary>A host whose boxes have little room.</summary>
public sealed class SmallDiskHost : JourneyHost
{
    public const long DiskBytes = 128L * 1024 * 1024;

    protected override Task<IReadOnlyDictionary<string, string>> SettingsAsync() =>
        Task.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string> { ["Sandbox:DiskBytes"] = $"{DiskBytes}" });
}
