using System.Text.Json.Nodes;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Events;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Journeys;

/// <summary>A box from its start to the moment it is ready, or says why it will not be.</summary>
public sealed class BoxBootTests : BoxJourney
{
    [Fact]
    public async Task A_box_without_a_repository_boots_tells_what_each_phase_cost_and_is_ready()
    {
        await Box.StartAsync();

        var ready = await Box.Host.EventAsync("boot.ready");

        Assert.Equal("scripted", ready.GetProperty("agent").GetProperty("name").GetString());
        Assert.False(ready.GetProperty("resumed").GetBoolean());
        var phases = Box.Host.Events.Where(happened => happened.GetProperty("kind").GetString() == "boot.phase").Select(happened => happened.GetProperty("data"))
            .Select(data => $"{data.GetProperty("phase").GetString()} {data.GetProperty("status").GetString()}").ToArray();
        Assert.Equal(["clone started", "clone skipped", "install started", "install skipped", "discover started", "discover completed", "agent started", "agent completed"], phases);
        Assert.True(Directory.Exists(Path.Combine(Box.Workspace, ".git")));
    }

    [Fact]
    public async Task A_repository_is_cloned_discovered_and_installed_and_an_install_that_fails_does_not_end_the_session()
    {
        var repository = await TestRepository.CreateAsync(Path.Combine(Box.Folder, "origin"), ("Makefile", "deps:\n\t@echo fetching; exit 3\n"), ("main.go", "package main"));
        Box.Host.Config["repository"] = new JsonObject { ["url"] = repository, ["branch"] = "main" };
        await Box.StartAsync();

        await Box.Host.EventAsync("boot.ready");

        var environment = (await Box.Host.EventAsync("environment.detected")).GetProperty("environment");
        Assert.Equal(("make", "make deps", 2), (environment.GetProperty("packageManager").GetString(), environment.GetProperty("commands").GetProperty("install").GetString(), environment.GetProperty("fileCount").GetInt32()));
        var failed = await Box.Host.EventAsync("boot.phase", data => data.GetProperty("phase").GetString() == "install" && data.GetProperty("status").GetString() == "failed");
        Assert.Contains("make deps", failed.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await Box.Host.EventAsync("boot.phase", data => data.TryGetProperty("output", out var output) && output.GetString()!.Contains("fetching", StringComparison.Ordinal));
        Assert.True(File.Exists(Path.Combine(Box.Workspace, "main.go")));
    }

    [Fact]
    public async Task A_branch_that_is_not_there_fails_the_boot_and_says_so()
    {
        var repository = await TestRepository.CreateAsync(Path.Combine(Box.Folder, "origin"), ("a", "b"));
        Box.Host.Config["repository"] = new JsonObject { ["url"] = repository, ["branch"] = "nope" };
        await Box.StartAsync();

        var failed = await Box.Host.EventAsync("boot.failed");

        Assert.Equal("branch_not_found", failed.GetProperty("code").GetString());
        Assert.Contains("nope", failed.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await Box.Host.PromptAsync(TestBox.NewMessage());
        Assert.Equal("branch_not_found", (await Box.Host.EventAsync(EventKinds.MessageEnded)).GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_boot_that_grows_beyond_the_disk_is_stopped_where_it_is_and_the_box_ends_when_it_grows_on()
    {
        var repository = await TestRepository.CreateAsync(Path.Combine(Box.Folder, "origin"), ("Makefile", "deps:\n\t@touch begun; sleep 300\n"));
        Box.Host.Config["repository"] = new JsonObject { ["url"] = repository, ["branch"] = "main" };
        var (starting, started, ended) = (new TaskCompletionSource(), new TaskCompletionSource(), 0);
        var make = Box.NewRuntime;
        Box.NewRuntime = () =>
        {
            starting.TrySetResult();
            started.Task.Wait(TimeSpan.FromSeconds(60));
            return make();
        };
        await Box.StartAsync();
        Box.Parts!.EndProcesses = () =>
        {
            ended++;
            return Task.CompletedTask;
        };
        await Eventually.HoldsAsync(() => File.Exists(Path.Combine(Box.Workspace, "begun")), "the install to run");

        Box.Parts.Orders.StopGrowth(1 << 20);

        var failed = await Box.Host.EventAsync("boot.phase", data => data.GetProperty("phase").GetString() == "install" && data.GetProperty("status").GetString() == "failed");
        Assert.Contains("more than they may", failed.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await starting.Task.WaitAsync(TimeSpan.FromSeconds(60));
        for (var look = 2; look <= 4; look++) Box.Parts.Orders.StopGrowth(look << 20);
        var told = await Box.Host.EventAsync(EventKinds.BootFailed);
        started.SetResult();

        Assert.Equal(("disk_full", 2), (told.GetProperty("code").GetString(), ended));
        Assert.Equal(BridgeVerdict.NoDisk, await Box.EndAsync());
    }
}
