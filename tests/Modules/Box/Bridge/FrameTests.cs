using System.Text;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Events;
using FsCheck;
using FsCheck.Fluent;
using Xunit;
using HostFrame = Coordinator.Sandbox.Bridge.HostFrame;

namespace Coordinator.Tests.Modules.Box.Bridge;

public sealed class FrameTests
{
    private static readonly MessageId Message = MessageId.New(TimeProvider.System);

    [Fact]
    public void Welcome_is_read_with_unknown_fields_tolerated()
    {
        var frame = Read("""
            { "type": "welcome", "protocol": 1, "incarnation": 1, "spoolId": "ab", "ackedN": 6, "window": { "events": 2000, "bytes": 4194304, "new": 1 },
              "config": { "repository": { "url": "https://example.com/r.git", "branch": null }, "agent": "opencode",
                "model": { "provider": "demo", "model": "scripted", "wire": "openAiChat", "contextTokens": 1000, "outputTokens": 10 },
                "permissions": "ask", "install": true, "limits": { "repositoryBytes": 5, "cloneSeconds": 6, "installSeconds": 7, "agentStartSeconds": 8 }, "later": {} } }
            """);

        var welcome = Assert.IsType<HostFrame.Welcome>(frame);
        Assert.Equal(("ab", 6L, 2000), (welcome.SpoolId, welcome.AckedN, welcome.Window.Events));
        Assert.Equal("https://example.com/r.git", welcome.Settings.Repository!.Url);
        Assert.Equal(ModelWire.OpenAiChat, welcome.Settings.Model.Wire);
        Assert.True(welcome.Settings.AsksPermissions);
        Assert.Equal(TimeSpan.FromSeconds(7), welcome.Settings.Limits.InstallBudget);
    }

    [Fact]
    public void A_welcome_that_leaves_things_out_gets_the_defaults()
    {
        var frame = Read("""{ "type": "welcome", "protocol": 1, "spoolId": "ab", "ackedN": 0, "config": { "agent": "opencode", "model": { "provider": "p", "model": "m" } } }""");

        var settings = Assert.IsType<HostFrame.Welcome>(frame).Settings;
        Assert.True(settings.Install);
        Assert.False(settings.AsksPermissions);
        Assert.Null(settings.Repository);
        Assert.Equal(TimeSpan.FromSeconds(Coordinator.Sandbox.Configuration.BoxBudgets.CloneSeconds), settings.Limits.CloneBudget);
    }

    [Fact]
    public void A_prompt_is_read_whole()
    {
        var frame = Read($$"""{ "type": "request", "id": "r1", "method": "prompt", "params": { "messageId": "{{Message}}", "text": "hi", "agent": "opencode", "history": "before", "model": { "provider": "p", "model": "m", "wire": "anthropicMessages", "contextTokens": 1, "outputTokens": 2 } } }""");

        var prompt = Assert.IsType<HostFrame.Prompt>(frame);
        Assert.Equal(new PromptRequest(Message, "hi", new AgentModel("p", "m", ModelWire.AnthropicMessages, 1, 2), "before"), prompt.Request);
    }

    [Theory]
    [InlineData("""{ "type": "request", "id": "r", "method": "dance", "params": {} }""", "method_unknown")]
    [InlineData("""{ "type": "request", "id": "r", "method": "cancel", "params": { "messageId": "msg_nonsense" } }""", "params_invalid")]
    [InlineData("""{ "type": "request", "id": "r", "method": "prompt", "params": { "messageId": 4 } }""", "params_invalid")]
    [InlineData("""{ "type": "request", "id": "r", "method": "cancel" }""", "params_missing")]
    public void A_request_that_makes_no_sense_is_answered(string text, string error) =>
        Assert.Equal(error, Assert.IsType<HostFrame.Unanswerable>(Read(text)).Error);

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{\"type\":\"welcome\"}")]
    [InlineData("{\"type\":\"ack\",\"n\":-1}")]
    [InlineData("{\"type\":\"ack\",\"n\":\"\\ud800\"}")]
    public void What_is_no_frame_is_nothing(string text) => Assert.Null(Read(text));

    [Fact]
    public void Reading_never_throws() =>
        Prop.ForAll<byte[]>(bytes =>
        {
            _ = HostFrameReader.Read(bytes);
            return true;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void An_event_frame_is_its_body_with_a_number()
    {
        var body = BoxFrameWriter.EventBody(new BoxEvent("agent.text", Message, "{\"text\":\"ä\"}"u8.ToArray()));

        var frame = JsonDocument.Parse(BoxFrameWriter.Event(42, body)).RootElement;

        Assert.Equal(("event", 42L, "agent.text", Message.ToString()), (frame.GetProperty("type").GetString(), frame.GetProperty("n").GetInt64(), frame.GetProperty("kind").GetString(), frame.GetProperty("messageId").GetString()));
        Assert.Equal("ä", frame.GetProperty("data").GetProperty("text").GetString());
    }

    [Fact]
    public void The_end_of_a_message_is_recognised_in_a_spooled_body_and_nothing_else_is()
    {
        var ended = new LifecycleEvents(new Redactor()).Ended(Message, MessageEnd.Cancelled);

        Assert.Equal(Message, BoxFrameWriter.EndedBy(BoxFrameWriter.EventBody(ended)));
        Assert.Null(BoxFrameWriter.EndedBy(BoxFrameWriter.EventBody(LifecycleEvents.Accepted(Message))));
        Assert.Null(BoxFrameWriter.EndedBy(BoxFrameWriter.EventBody(AgentEvents.Text(Message, "kind", 0, "message.ended"))));
    }

    private static HostFrame? Read(string text) => HostFrameReader.Read(Encoding.UTF8.GetBytes(text));
}
