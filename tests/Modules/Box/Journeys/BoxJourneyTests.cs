using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Coordinator.Fakes.Compute;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Commands;
using Coordinator.Sandbox.Events;
using Coordinator.Sandbox.Processes;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Journeys;

public sealed class BoxJourneyTests : IAsyncLifetime
{
    private readonly TestBox box = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await box.DisposeAsync();

    [Fact]
    public async Task A_box_without_a_repository_boots_tells_what_each_phase_cost_and_is_ready()
    {
        await box.StartAsync();

        var ready = await box.Host.EventAsync("boot.ready");

        Assert.Equal("scripted", ready.GetProperty("agent").GetProperty("name").GetString());
        Assert.False(ready.GetProperty("resumed").GetBoolean());
        var phases = box.Host.Events.Where(happened => happened.GetProperty("kind").GetString() == "boot.phase").Select(happened => happened.GetProperty("data"))
            .Select(data => $"{data.GetProperty("phase").GetString()} {data.GetProperty("status").GetString()}").ToArray();
        Assert.Equal(["clone started", "clone skipped", "install started", "install skipped", "discover started", "discover completed", "agent started", "agent completed"], phases);
        Assert.True(Directory.Exists(Path.Combine(box.Workspace, ".git")));
    }

    [Fact]
    public async Task A_prompt_streams_and_completes()
    {
        box.Script = (_, _) => [new ScriptedStep.Say("Hello there."), new ScriptedStep.RunTool("bash", """{"command":"ls"}""", "ls", "a\nb\n", Guarded: false)];
        await box.StartAsync();
        await box.Host.EventAsync("boot.ready");
        var message = TestBox.NewMessage();

        await box.Host.PromptAsync(message);

        var ended = await box.Host.EventAsync(EventKinds.MessageEnded);
        Assert.Equal("completed", ended.GetProperty("outcome").GetString());
        Assert.Equal("Hello there.", Text());
        var tool = await box.Host.EventAsync(EventKinds.ToolCompleted);
        Assert.Equal("a\nb\n", tool.GetProperty("output").GetString());
        Assert.Equal(message, box.Host.Events[^1].GetProperty("messageId").GetString());
    }

    [Fact]
    public async Task The_host_restarts_in_the_middle_of_a_turn_and_nothing_is_lost_doubled_or_run_twice()
    {
        var message = TestBox.NewMessage();
        box.Script = (_, _) => Enumerable.Range(0, 400).SelectMany(i => new ScriptedStep[] { new ScriptedStep.Say($"word{i} "), new ScriptedStep.Wait(TimeSpan.FromMilliseconds(2)) });
        await box.StartAsync();
        await box.Host.EventAsync("boot.ready");
        await box.Host.PromptAsync(message);
        await box.Host.EventAsync(EventKinds.AgentText);

        await box.Host.KillAsync();
        await box.Host.StartAsync();
        await box.Host.WelcomedAsync(2);
        await box.Host.PromptAsync(message);

        await box.Host.EventAsync(EventKinds.MessageEnded);
        Assert.Equal(string.Concat(Enumerable.Range(0, 400).Select(i => $"word{i} ")), Text());
        Assert.Single(box.Host.Events, happened => happened.GetProperty("kind").GetString() == EventKinds.MessageAccepted);
        Assert.Single(box.AgentStore.Prompts);
    }

    [Fact]
    public async Task Bridge_restarts_mid_prompt_and_the_message_ends_as_unknown()
    {
        var message = TestBox.NewMessage();
        box.Script = (_, _) => [new ScriptedStep.Say("working"), new ScriptedStep.Endless("bash")];
        await box.StartAsync();
        await box.Host.EventAsync("boot.ready");
        await box.Host.PromptAsync(message);
        await box.Host.EventAsync(EventKinds.ToolStarted);
        var ledger = Directory.GetFiles(box.Folder, "messages.jsonl", SearchOption.AllDirectories).Single();
        var crashed = File.ReadAllBytes(ledger);
        await box.StopAsync();
        // What a crash leaves: "accepted", and no end.
        File.WriteAllBytes(ledger, crashed);
        foreach (var segment in Directory.GetFiles(box.Folder, "*.seg", SearchOption.AllDirectories)) File.WriteAllBytes(segment, []);

        await box.StartAsync(host: false);
        await box.Host.EventAsync(EventKinds.MessageEnded, data => data.TryGetProperty("code", out var code) && code.GetString() == "outcome_unknown");
        await box.Host.PromptAsync(message);
        await box.Host.EventAsync("boot.ready", _ => box.Host.Events.Count(happened => happened.GetProperty("kind").GetString() == "boot.ready") == 2);

        Assert.Single(box.AgentStore.Prompts);
    }

    [Fact]
    public async Task A_cancel_ends_the_turn_as_cancelled_exactly_once()
    {
        var message = TestBox.NewMessage();
        box.Script = (_, _) => [new ScriptedStep.Endless("bash")];
        await box.StartAsync();
        await box.Host.EventAsync("boot.ready");
        await box.Host.PromptAsync(message);
        await box.Host.EventAsync(EventKinds.ToolStarted);

        await box.Host.RequestAsync("cancel", new { messageId = message });
        await box.Host.RequestAsync("cancel", new { messageId = message });

        var ended = await box.Host.EventAsync(EventKinds.MessageEnded);
        Assert.Equal("cancelled", ended.GetProperty("outcome").GetString());
        await box.Host.PromptAsync(TestBox.NewMessage());
        await box.Host.EventAsync(EventKinds.ToolStarted);
        Assert.Single(box.Host.Events, happened => happened.GetProperty("kind").GetString() == EventKinds.MessageEnded);
    }

    [Fact]
    public async Task A_cancel_that_the_agent_does_not_hear_ends_the_agent_and_is_no_crash()
    {
        var message = TestBox.NewMessage();
        box.NewRuntime = () => new ScriptedAgentRuntime(box.AgentStore, TimeProvider.System, (_, _) => [new ScriptedStep.Say("Next time.")])
        {
            NextFault = box.AgentStore.Prompts.Count == 0 ? ScriptedAgentFault.Deaf : ScriptedAgentFault.None,
        };
        await box.StartAsync();
        await box.Host.EventAsync("boot.ready");
        await box.Host.PromptAsync(message);
        await Eventually.HoldsAsync(() => box.AgentStore.Prompts.Count == 1, "the agent's turn");

        await box.Host.RequestAsync("cancel", new { messageId = message });

        var ended = await box.Host.EventAsync(EventKinds.MessageEnded);
        Assert.Equal("cancelled", ended.GetProperty("outcome").GetString());
        await box.Host.PromptAsync(TestBox.NewMessage());
        await box.Host.EventAsync(EventKinds.MessageEnded, data => data.GetProperty("outcome").GetString() == "completed");
    }

    [Fact]
    public async Task A_permission_is_asked_under_an_id_of_ours_answered_and_confirmed()
    {
        box.Host.Config["permissions"] = "ask";
        box.Script = (_, _) => [new ScriptedStep.RunTool("bash", """{"command":"ls"}""", "ls", "a\n")];
        await box.StartAsync();
        await box.Host.EventAsync("boot.ready");
        await box.Host.PromptAsync(TestBox.NewMessage());

        var asked = await box.Host.EventAsync(EventKinds.PermissionAsked);
        var permission = asked.GetProperty("permissionId").GetString()!;
        Assert.StartsWith("per_", permission, StringComparison.Ordinal);
        await box.Host.RequestAsync("permission", new { permissionId = permission, decision = "once" });

        await box.Host.EventAsync(EventKinds.PermissionConfirmed, data => data.GetProperty("permissionId").GetString() == permission);
        await box.Host.EventAsync(EventKinds.ToolCompleted);
        Assert.Equal("completed", (await box.Host.EventAsync(EventKinds.MessageEnded)).GetProperty("outcome").GetString());
    }

    [Fact]
    public async Task Large_output_is_cut_and_the_whole_is_kept_as_an_artifact()
    {
        var output = string.Concat(Enumerable.Range(0, 50_000).Select(i => $"line {i}\n"));
        box.Script = (_, _) => [new ScriptedStep.RunTool("bash", "{}", "ls", output, Guarded: false)];
        await box.StartAsync();
        await box.Host.EventAsync("boot.ready");

        await box.Host.PromptAsync(TestBox.NewMessage());

        var tool = await box.Host.EventAsync(EventKinds.ToolCompleted);
        Assert.True(tool.GetProperty("truncated").GetBoolean());
        Assert.Equal(output, Encoding.UTF8.GetString(box.Host.Artifacts[tool.GetProperty("artifact").GetString()!]));
    }

    [Fact]
    public async Task Output_that_the_agent_has_cut_is_marked_and_no_length_is_claimed_for_it()
    {
        box.Script = (_, _) => [new ScriptedStep.RunTool("bash", "{}", "ls", "the end\n", Guarded: false, Truncated: true)];
        await box.StartAsync();
        await box.Host.EventAsync("boot.ready");

        await box.Host.PromptAsync(TestBox.NewMessage());

        var tool = await box.Host.EventAsync(EventKinds.ToolCompleted);
        Assert.True(tool.GetProperty("truncated").GetBoolean());
        Assert.False(tool.TryGetProperty("outputLength", out _));
        Assert.Equal("the end\n", tool.GetProperty("output").GetString());
    }

    [Fact]
    public async Task An_agent_that_crashes_fails_its_message_and_is_there_for_the_next()
    {
        var runtimes = new List<ScriptedAgentRuntime>();
        box.NewRuntime = () =>
        {
            runtimes.Add(new ScriptedAgentRuntime(box.AgentStore, TimeProvider.System));
            if (runtimes.Count == 1) runtimes[0].NextFault = ScriptedAgentFault.Crash;
            return runtimes[^1];
        };
        await box.StartAsync();
        await box.Host.EventAsync("boot.ready");

        await box.Host.PromptAsync(TestBox.NewMessage());
        var failed = await box.Host.EventAsync(EventKinds.MessageEnded);
        Assert.Equal(("failed", "agent_crashed"), (failed.GetProperty("outcome").GetString(), failed.GetProperty("code").GetString()));

        await box.Host.PromptAsync(TestBox.NewMessage());
        await box.Host.EventAsync(EventKinds.MessageEnded, data => data.GetProperty("outcome").GetString() == "completed");
        Assert.Equal(2, runtimes.Count);
    }

    [Fact]
    public async Task An_agent_that_cannot_be_started_anew_is_told_with_its_reason_and_so_is_its_message()
    {
        ScriptedAgentRuntime? first = null;
        box.NewRuntime = () => first is null
            ? first = new ScriptedAgentRuntime(box.AgentStore, TimeProvider.System) { NextFault = ScriptedAgentFault.Crash }
            : throw new PortException(PortFailureKind.Unavailable, "It ended with exit code 1.");
        await box.StartAsync();
        await box.Host.EventAsync("boot.ready");
        await box.Host.PromptAsync(TestBox.NewMessage());
        await box.Host.EventAsync(EventKinds.MessageEnded);

        await box.Host.PromptAsync(TestBox.NewMessage());

        var failed = await box.Host.EventAsync(EventKinds.AgentFailed);
        Assert.Equal("agent_start_failed", failed.GetProperty("code").GetString());
        var ended = await box.Host.EventAsync(EventKinds.MessageEnded, data => data.GetProperty("code").GetString() != "agent_crashed");
        Assert.Equal(failed.GetProperty("detail").GetString(), ended.GetProperty("detail").GetString());
        Assert.Equal("agent_start_failed", ended.GetProperty("code").GetString());
    }

    [Fact]
    public async Task Empty_agent_output_is_not_reported_as_success()
    {
        box.Script = (_, _) => [];
        await box.StartAsync();
        await box.Host.EventAsync("boot.ready");

        await box.Host.PromptAsync(TestBox.NewMessage());

        Assert.Equal("empty_output", (await box.Host.EventAsync(EventKinds.MessageEnded)).GetProperty("code").GetString());
    }

    [Fact]
    public async Task The_conversation_goes_on_in_the_session_s_next_box()
    {
        await box.StartAsync();
        await box.Host.EventAsync("boot.ready");
        await box.Host.PromptAsync(TestBox.NewMessage(), history: "told once");
        await box.Host.EventAsync(EventKinds.MessageEnded);
        await box.StopAsync();

        box.Generation = 2;
        await box.StartAsync(host: false);

        Assert.True((await box.Host.EventAsync("boot.ready", data => data.GetProperty("resumed").GetBoolean())).GetProperty("resumed").GetBoolean());
        Assert.Equal(2, box.Host.Hellos[^1].GetProperty("generation").GetInt32());
        Assert.Empty(box.Host.Hellos[^1].GetProperty("messages").EnumerateArray());
    }

    [Fact]
    public async Task A_shutdown_in_the_middle_of_a_turn_tells_that_it_was_interrupted_and_ends_the_box()
    {
        box.Script = (_, _) => [new ScriptedStep.Endless("bash")];
        await box.StartAsync();
        await box.Host.EventAsync("boot.ready");
        await box.Host.PromptAsync(TestBox.NewMessage());
        await box.Host.EventAsync(EventKinds.ToolStarted);

        await box.Host.RequestAsync("shutdown", new { reason = "idle" });

        Assert.Equal("interrupted", (await box.Host.EventAsync(EventKinds.MessageEnded)).GetProperty("code").GetString());
        Assert.Equal(BridgeVerdict.Stopped, await box.EndAsync());
    }

    [Fact]
    public async Task A_box_whose_disk_takes_no_new_spool_in_the_middle_of_a_turn_ends_its_agent_and_says_why_it_ends()
    {
        ScriptedAgentRuntime? agent = null;
        box.NewRuntime = () => agent = new(box.AgentStore, TimeProvider.System, (_, _) => [new ScriptedStep.Endless("bash")]);
        await box.StartAsync();
        await box.Host.EventAsync("boot.ready");
        await box.Host.PromptAsync(TestBox.NewMessage());
        await box.Host.EventAsync(EventKinds.ToolStarted);

        // Where the new spool would be made there is a file.
        Directory.Delete(box.SpoolFolder, recursive: true);
        File.WriteAllText(box.SpoolFolder, "");
        box.Host.Ahead = 1_000;
        await box.Host.CloseAsync(1012);

        var verdict = await box.EndAsync();
        Assert.Equal((BridgeVerdict.NoDisk, 5), (verdict, RunCommand.CodeOf(verdict)));
        Assert.True(agent!.Exited.IsCompleted);
        var log = box.Log.ToString();
        Assert.Contains("ending: the disk takes no new spool", log, StringComparison.Ordinal);
        Assert.DoesNotContain("gone for good", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_process_that_a_turn_left_is_ended_when_it_fills_the_disk_and_the_next_turn_runs()
    {
        await box.StartAsync();
        await box.Host.EventAsync("boot.ready");
        await box.Host.PromptAsync(TestBox.NewMessage());
        await box.Host.EventAsync(EventKinds.MessageEnded);
        var file = Path.Combine(box.Workspace, "grows");
        using var left = Process.Start("/bin/sh", ["-c", $"(trap '' TERM; while :; do echo more >> '{file}'; sleep 0.1; done) & wait"]);
        box.Parts!.EndProcesses = () => ProcessFamily.EndAsync(left.Id, TimeProvider.System);
        try
        {
            await Eventually.HoldsAsync(() => File.Exists(file), "the process to write");
            new DiskWatch([box.Workspace], limit: 1, box.Parts.Orders.StopGrowth, TimeProvider.System).Look();

            await left.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        }
        finally
        {
            left.Kill(entireProcessTree: true);
        }

        await box.Host.PromptAsync(TestBox.NewMessage());
        await Eventually.HoldsAsync(() => box.Host.Events.Count(happened => happened.GetProperty("kind").GetString() == EventKinds.MessageEnded && happened.GetProperty("data").GetProperty("outcome").GetString() == "completed") == 2, "the next turn to complete");
    }

    [Fact]
    public async Task A_box_whose_workspace_grows_on_whatever_is_ended_ends_and_says_why()
    {
        var ended = 0;
        await box.StartAsync();
        await box.Host.EventAsync("boot.ready");
        await box.Host.PromptAsync(TestBox.NewMessage());
        await box.Host.EventAsync(EventKinds.MessageEnded);
        box.Parts!.EndProcesses = () =>
        {
            ended++;
            return Task.CompletedTask;
        };

        for (var look = 1; look <= 3; look++) box.Parts.Orders.StopGrowth(look << 20);

        var verdict = await box.EndAsync();
        Assert.Equal((BridgeVerdict.NoDisk, 2), (verdict, ended));
        var told = await box.Host.EventAsync(EventKinds.AgentFailed);
        Assert.Equal("disk_full", told.GetProperty("code").GetString());
        Assert.Contains("3 MiB", told.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains("ending: its workspace grows on", box.Log.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(410)]
    public async Task A_box_that_is_not_wanted_ends_itself(int status)
    {
        box.Host.Refuse = status;
        await box.StartAsync();

        Assert.Equal(BridgeVerdict.Refused, await box.EndAsync());
    }

    [Fact]
    public async Task Close_code_4410_is_final()
    {
        await box.StartAsync();
        await box.Host.EventAsync("boot.ready");

        await box.Host.CloseAsync(4410);

        Assert.Equal(BridgeVerdict.Refused, await box.EndAsync());
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{\"type\":\"ack\",\"n\":999999}")]
    public async Task Junk_on_the_bridge_costs_the_connection_and_nothing_else(string junk)
    {
        await box.StartAsync();
        await box.Host.EventAsync("boot.ready");

        await box.Host.SendAsync(junk);
        await box.Host.WelcomedAsync(2);
        await box.Host.PromptAsync(TestBox.NewMessage());

        Assert.Equal("completed", (await box.Host.EventAsync(EventKinds.MessageEnded)).GetProperty("outcome").GetString());
    }

    [Fact]
    public async Task A_repository_is_cloned_discovered_and_installed_and_an_install_that_fails_does_not_end_the_session()
    {
        var repository = await TestRepository.CreateAsync(Path.Combine(box.Folder, "origin"), ("Makefile", "deps:\n\t@echo fetching; exit 3\n"), ("main.go", "package main"));
        box.Host.Config["repository"] = new JsonObject { ["url"] = repository, ["branch"] = "main" };
        await box.StartAsync();

        await box.Host.EventAsync("boot.ready");

        var environment = (await box.Host.EventAsync("environment.detected")).GetProperty("environment");
        Assert.Equal(("make", "make deps", 2), (environment.GetProperty("packageManager").GetString(), environment.GetProperty("commands").GetProperty("install").GetString(), environment.GetProperty("fileCount").GetInt32()));
        var failed = await box.Host.EventAsync("boot.phase", data => data.GetProperty("phase").GetString() == "install" && data.GetProperty("status").GetString() == "failed");
        Assert.Contains("make deps", failed.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await box.Host.EventAsync("boot.phase", data => data.TryGetProperty("output", out var output) && output.GetString()!.Contains("fetching", StringComparison.Ordinal));
        Assert.True(File.Exists(Path.Combine(box.Workspace, "main.go")));
    }

    [Fact]
    public async Task A_branch_that_is_not_there_fails_the_boot_and_says_so()
    {
        var repository = await TestRepository.CreateAsync(Path.Combine(box.Folder, "origin"), ("a", "b"));
        box.Host.Config["repository"] = new JsonObject { ["url"] = repository, ["branch"] = "nope" };
        await box.StartAsync();

        var failed = await box.Host.EventAsync("boot.failed");

        Assert.Equal("branch_not_found", failed.GetProperty("code").GetString());
        Assert.Contains("nope", failed.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await box.Host.PromptAsync(TestBox.NewMessage());
        Assert.Equal("branch_not_found", (await box.Host.EventAsync(EventKinds.MessageEnded)).GetProperty("code").GetString());
    }

    private string Text()
    {
        var parts = new List<string>();
        foreach (var data in box.Host.Events.Where(happened => happened.GetProperty("kind").GetString() == EventKinds.AgentText).Select(happened => happened.GetProperty("data")))
        {
            if (data.GetProperty("offset").GetInt32() == 0) parts.Add("");
            parts[^1] = parts[^1][..data.GetProperty("offset").GetInt32()] + data.GetProperty("text").GetString();
        }

        return string.Concat(parts);
    }
}
