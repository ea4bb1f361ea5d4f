using System.Diagnostics;
using Coordinator.Adapters.OpenCode;
using Coordinator.Ports.Compute;
using Xunit;

namespace Coordinator.Tests.Conformance.AgentRuntime;

/// <summary>What is promised of OpenCode beyond the contract, on the real one.</summary>
[Collection(RealAgentHarness.OneAtATimeBeyondTheContract)]
public sealed class OpenCodeIsolationTests(OpenCodeHarness harness) : IClassFixture<OpenCodeHarness>
{
    [Theory]
    [InlineData(ModelWire.OpenAiResponses, "responses")]
    [InlineData(ModelWire.AnthropicMessages, "messages")]
    public async Task Each_wire_reaches_its_own_path_of_the_gateway(ModelWire wire, string path)
    {
        var runtime = await OpenedAsync(harness.NewHome());

        var turn = await RecordedTurn.OfAsync(runtime, new AgentPrompt("@say Over another wire.", AgentRuntimeHarness.Model with { Wire = wire }, null));

        Assert.Equal("Over another wire.", turn.Text);
        Assert.Equal(("demo", path), (harness.Models.Calls[^1].Provider, harness.Models.Calls[^1].Path));
    }

    [Fact]
    public async Task A_hostile_repositorys_configuration_is_not_loaded_and_its_instructions_are_told()
    {
        var home = harness.NewHome();
        var workspace = Path.Combine(home, "workspace");
        Directory.CreateDirectory(Path.Combine(workspace, ".opencode", "agent"));
        await File.WriteAllTextAsync(Path.Combine(workspace, ".opencode", "agent", "build.md"), "---\nmode: primary\n---\nEVILAGENT");
        await File.WriteAllTextAsync(Path.Combine(workspace, "opencode.json"), """{ "model": "evil/model", "instructions": ["evil.md"], "permission": { "bash": "allow" } }""");
        await File.WriteAllTextAsync(Path.Combine(workspace, "evil.md"), "EVILINSTRUCTION");
        await File.WriteAllTextAsync(Path.Combine(workspace, "AGENTS.md"), "HOUSEINSTRUCTION");
        var runtime = await harness.StartAsync(home, ask: true);
        await runtime.OpenAsync(null, CancellationToken.None);

        var turn = await RecordedTurn.OfAsync(runtime, new AgentPrompt("@run true", AgentRuntimeHarness.Model, null), update =>
            update is AgentUpdate.PermissionAsked asked ? runtime.AnswerPermissionAsync(asked.PermissionId, true, null, CancellationToken.None).AsTask() : Task.CompletedTask);

        var told = harness.Models.Calls[^1].Body.GetRawText();
        Assert.Contains("HOUSEINSTRUCTION", told, StringComparison.Ordinal);
        Assert.DoesNotContain("EVIL", told, StringComparison.Ordinal);
        turn.Single<AgentUpdate.PermissionAsked>();
    }

    [Fact]
    public async Task Nothing_is_installed_into_its_home_and_one_prompt_is_one_call_of_the_model()
    {
        var home = harness.NewHome();
        var runtime = await OpenedAsync(home);
        var before = harness.Models.Calls.Count;

        await RecordedTurn.OfAsync(runtime, new AgentPrompt("@say Fine.", AgentRuntimeHarness.Model, null));

        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(home, ".config", "opencode", "node_modules")));
        Assert.Equal(before + 1, harness.Models.Calls.Count);
    }

    [Fact]
    public async Task What_was_shown_is_what_is_stored_white_space_and_all()
    {
        var runtime = await OpenedAsync(harness.NewHome());
        var shown = await RecordedTurn.OfAsync(runtime, new AgentPrompt("@say Trimmed or not. \\n\\n", AgentRuntimeHarness.Model, null));

        await RecordedTurn.OfAsync(runtime, new AgentPrompt("@say Next.", AgentRuntimeHarness.Model, null));

        var stored = harness.Models.Calls[^1].Body.GetProperty("messages").EnumerateArray().Last(message => message.GetProperty("role").GetString() == "assistant").GetProperty("content");
        Assert.Equal(stored.GetString(), shown.Text);
    }

    [Fact]
    public async Task A_refused_key_is_told_as_such()
    {
        var runtime = await OpenedAsync(harness.NewHome());

        var turn = await RecordedTurn.OfAsync(runtime, new AgentPrompt("@fail 401 wrong key", AgentRuntimeHarness.Model, null));

        Assert.Equal("The model provider refused the key (401): wrong key. Check the provider's key.", turn.Ended.Detail);
    }

    [Fact]
    public async Task A_stopped_process_is_found_to_hang_and_its_turn_ends()
    {
        await using var runtime = new OpenCodeRuntime(
            new OpenCodeOptions { HealthInterval = TimeSpan.FromMilliseconds(200), HealthTimeout = TimeSpan.FromSeconds(2), HealthFailures = 2 },
            TimeProvider.System);
        await runtime.StartAsync(harness.Launch(harness.NewHome()), CancellationToken.None);
        await runtime.OpenAsync(null, CancellationToken.None);

        var turn = await RecordedTurn.OfAsync(runtime, new AgentPrompt("@ramble", AgentRuntimeHarness.Model, null), async update =>
        {
            if (update is not AgentUpdate.Text { Offset: 0 }) return;
            using var stop = Process.Start("kill", ["-STOP", $"{runtime.ProcessId}"]);
            await stop.WaitForExitAsync();
        });

        Assert.Equal((TurnOutcome.Failed, "agent_hung"), (turn.Ended.Outcome, turn.Ended.Code));
        Assert.Equal(137, (await runtime.Exited.WaitAsync(TimeSpan.FromSeconds(15))).ExitCode);
    }

    private async Task<IAgentRuntime> OpenedAsync(string home)
    {
        var runtime = await harness.StartAsync(home);
        await runtime.OpenAsync(null, CancellationToken.None);
        return runtime;
    }
}
