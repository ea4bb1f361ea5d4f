using Coordinator.Cli.Journey;
using Coordinator.Tests.Support.Hosting;
using Xunit;

namespace Coordinator.Tests.Journey;

/// <summary>Where bubblewrap is missing and the operator says so, a session works all the same, and nothing of it is left.</summary>
public sealed class UnisolatedTests(UnisolatedHost host) : IClassFixture<UnisolatedHost>
{
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task A_session_runs_tools_and_its_archive_ends_what_they_left_running()
    {
        await using var run = await host.StartSessionAsync();
        var message = await run.PromptAsync("run `setsid sleep 600 > /dev/null 2>&1 & env | grep -c OPENCODE_SERVER_PASSWORD; pwd`", CancellationToken.None);
        await run.EndAsync(message, "message.completed", Turn, CancellationToken.None);

        var tool = Assert.Single(run.EventsOf(message), e => e.Type == "tool.completed");
        var lines = tool.Text("output")!.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("0", lines[0]);
        Assert.StartsWith(host.Process.DataDirectory, lines[1], StringComparison.Ordinal);
        Assert.Contains("WITHOUT ISOLATION", host.Process.Output, StringComparison.Ordinal);

        await host.Client.ArchiveAsync(run.Session.Id, CancellationToken.None);
        await run.WaitAsync("the box to end", e => e.Type == "sandbox.stopped", Turn, CancellationToken.None);
        Assert.Empty(LiveProcess.Naming(run.Session.Id));
    }
}

/// <summary>A host on a machine without bubblewrap, told to go on without it.</summary>
public sealed class UnisolatedHost : JourneyHost
{
    protected override Task<IReadOnlyDictionary<string, string>> SettingsAsync() => Task.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string>
    {
        ["Sandbox:Local:Bubblewrap"] = "/nowhere/bwrap",
        ["Sandbox:Local:AllowUnisolated"] = "true",
    });
}
