using Coordinator.Fakes.Compute;
using Coordinator.Sandbox.Events;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Journeys;

/// <summary>Hosts, bridges and boxes that come again, and the turn and the conversation that go on.</summary>
public sealed class BoxRestartTests : BoxJourney
{
    [Fact]
    public async Task The_host_restarts_in_the_middle_of_a_turn_and_nothing_is_lost_doubled_or_run_twice()
    {
        var message = TestBox.NewMessage();
        Box.Script = (_, _) => Enumerable.Range(0, 400).SelectMany(i => new ScriptedStep[] { new ScriptedStep.Say($"word{i} "), new ScriptedStep.Wait(TimeSpan.FromMilliseconds(2)) });
        await Box.StartAsync();
        await Box.Host.EventAsync("boot.ready");
        await Box.Host.PromptAsync(message);
        await Box.Host.EventAsync(EventKinds.AgentText);

        await Box.Host.KillAsync();
        await Box.Host.StartAsync();
        await Box.Host.WelcomedAsync(2);
        await Box.Host.PromptAsync(message);

        await Box.Host.EventAsync(EventKinds.MessageEnded);
        Assert.Equal(string.Concat(Enumerable.Range(0, 400).Select(i => $"word{i} ")), Text());
        Assert.Single(Box.Host.Events, happened => happened.GetProperty("kind").GetString() == EventKinds.MessageAccepted);
        Assert.Single(Box.AgentStore.Prompts);
    }

    [Fact]
    public async Task Bridge_restarts_mid_prompt_and_the_message_ends_as_unknown()
    {
        var message = TestBox.NewMessage();
        Box.Script = (_, _) => [new ScriptedStep.Say("working"), new ScriptedStep.Endless("bash")];
        await Box.StartAsync();
        await Box.Host.EventAsync("boot.ready");
        await Box.Host.PromptAsync(message);
        await Box.Host.EventAsync(EventKinds.ToolStarted);
        var ledger = Directory.GetFiles(Box.Folder, "messages.jsonl", SearchOption.AllDirectories).Single();
        var crashed = File.ReadAllBytes(ledger);
        await Box.StopAsync();
        // What a crash leaves: "accepted", and no end.
        File.WriteAllBytes(ledger, crashed);
        foreach (var segment in Directory.GetFiles(Box.Folder, "*.seg", SearchOption.AllDirectories)) File.WriteAllBytes(segment, []);

        await Box.StartAsync(host: false);
        await Box.Host.EventAsync(EventKinds.MessageEnded, data => data.TryGetProperty("code", out var code) && code.GetString() == "outcome_unknown");
        await Box.Host.PromptAsync(message);
        await Box.Host.EventAsync("boot.ready", _ => Box.Host.Events.Count(happened => happened.GetProperty("kind").GetString() == "boot.ready") == 2);

        Assert.Single(Box.AgentStore.Prompts);
    }

    [Fact]
    public async Task The_conversation_goes_on_in_the_session_s_next_box()
    {
        await Box.StartAsync();
        await Box.Host.EventAsync("boot.ready");
        await Box.Host.PromptAsync(TestBox.NewMessage(), history: "told once");
        await Box.Host.EventAsync(EventKinds.MessageEnded);
        await Box.StopAsync();

        Box.Generation = 2;
        await Box.StartAsync(host: false);

        Assert.True((await Box.Host.EventAsync("boot.ready", data => data.GetProperty("resumed").GetBoolean())).GetProperty("resumed").GetBoolean());
        Assert.Equal(2, Box.Host.Hellos[^1].GetProperty("generation").GetInt32());
        Assert.Empty(Box.Host.Hellos[^1].GetProperty("messages").EnumerateArray());
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{\"type\":\"ack\",\"n\":999999}")]
    public async Task Junk_on_the_bridge_costs_the_connection_and_nothing_else(string junk)
    {
        await Box.StartAsync();
        await Box.Host.EventAsync("boot.ready");

        await Box.Host.SendAsync(junk);
        await Box.Host.WelcomedAsync(2);
        await Box.Host.PromptAsync(TestBox.NewMessage());

        Assert.Equal("completed", (await Box.Host.EventAsync(EventKinds.MessageEnded)).GetProperty("outcome").GetString());
    }
}
