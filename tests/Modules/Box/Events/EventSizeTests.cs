using System.Text;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Sandbox.Events;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Events;

/// <summary>Whatever an agent sends, an event is at most 64 KiB of valid JSON.</summary>
public sealed class EventSizeTests
{
    private static readonly MessageId Message = MessageId.New(TimeProvider.System);
    private readonly AgentEvents events = new(new Redactor());
    private readonly LifecycleEvents lifecycle = new(new Redactor());

    public static TheoryData<string> Floods => new(["x", "\"", "\0", "漢", "😀", "\u2028", "\ud800", "\\"]);

    [Theory]
    [MemberData(nameof(Floods))]
    public void No_event_is_larger_than_the_limit(string unit)
    {
        var flood = string.Concat(Enumerable.Repeat(unit, 300_000));
        var inputs = new[] { flood, $"{{\"command\":{JsonEncodedText.Encode(flood.Replace("\ud800", "?", StringComparison.Ordinal))}}}", $"{{\"list\":[{string.Join(',', Enumerable.Repeat("1", 200_000))}]}}", $"{{\"n\":{new string('9', 200_000)}}}" };
        var patterns = Enumerable.Repeat(flood, 100).ToArray();
        foreach (var input in inputs)
        {
            Check(events.ToolStarted(Message, new(flood, flood, flood, input)));
            Check(events.ToolCompleted(Message, new(flood, flood, flood, input, flood, 1, TimeSpan.MaxValue, Truncated: false), OutputCutter.Cut(flood), new string('a', 64)));
            Check(events.ToolFailed(Message, new(flood, flood, flood, input, flood, TimeSpan.Zero)));
            Check(events.PermissionAsked(Message, PermissionId.New(TimeProvider.System), new("p", flood, flood, patterns, flood, input)));
        }

        Check(events.Plan(Message, new(Enumerable.Repeat(new PlanEntry(flood, flood, flood), 500).ToArray())));
        Check(events.FileChanged(Message, new(flood, FileChange.Created)));
        Check(events.Retrying(Message, new(1, flood, DateTimeOffset.MaxValue)));
        Check(lifecycle.Phase(new("clone", "progress", TimeSpan.Zero, flood, flood)));
        Check(lifecycle.BootFailed(new Problem("x", flood)));
        Check(lifecycle.Ended(Message, MessageEnd.Failed("x", flood)));
    }

    [Fact]
    public void The_shape_of_a_large_input_is_kept_and_its_long_strings_are_cut()
    {
        var data = JsonDocument.Parse(events.ToolStarted(Message, new("c", "write", null, $$"""{"filePath":"a.txt","content":"{{new string('x', 100_000)}}"}""")).Data).RootElement;

        var input = data.GetProperty("input");
        Assert.Equal("a.txt", input.GetProperty("filePath").GetString());
        Assert.EndsWith("…", input.GetProperty("content").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Secrets_in_the_agent_s_environment_come_back_in_its_output_blotted_out()
    {
        var redactor = new Redactor();
        redactor.Add("sb_org.ses.box.1.secret");
        var shape = new AgentEvents(redactor);

        var happened = shape.ToolFailed(Message, new("c", "bash", "cat sb_org.ses.box.1.secret", """{"command":"echo sb_org.ses.box.1.secret"}""", "x sb_org.ses.box.1.secret y", TimeSpan.Zero));

        var text = Encoding.UTF8.GetString(happened.Data.Span);
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        Assert.Contains($"x {new string('*', 23)} y", text, StringComparison.Ordinal);
    }

    private static void Check(BoxEvent happened)
    {
        Assert.True(happened.Data.Length <= BoxEvent.MaxDataBytes, $"{happened.Kind} has {happened.Data.Length} bytes");
        Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(happened.Data).RootElement.ValueKind);
    }
}
