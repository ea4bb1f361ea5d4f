using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Sandbox.Agent;
using Coordinator.Sandbox.Events;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Agent;

public sealed class TextCoalescerTests
{
    private readonly TextCoalescer coalescer = new(MessageId.New(TimeProvider.System), new Redactor());
    private readonly List<BoxEvent> sent = [];

    [Fact]
    public void A_token_at_a_time_becomes_one_event()
    {
        for (var i = 0; i < 100; i++) Add(false, "p", i, "x");
        Flush();

        Assert.Equal(("agent.text", 0, new string('x', 100)), Assert.Single(Read()));
    }

    [Fact]
    public void Another_part_another_sort_or_a_jump_lets_go_of_what_is_held_first()
    {
        Add(false, "p", 0, "one");
        Add(true, "p", 3, "think");
        Add(true, "q", 0, "more");
        Add(true, "q", 2, "over");
        Flush();

        Assert.Equal([("agent.text", 0, "one"), ("agent.reasoning", 3, "think"), ("agent.reasoning", 0, "more"), ("agent.reasoning", 2, "over")], Read());
    }

    [Fact]
    public void A_fast_agent_is_told_in_pieces_of_4_KiB_without_waiting()
    {
        for (var i = 0; i < 5_000; i++) Add(false, "p", i, "x");

        Assert.Equal(("agent.text", 0, new string('x', 4_096)), Assert.Single(Read()));
    }

    [Fact]
    public void One_huge_delta_becomes_events_that_fit_and_join()
    {
        var text = string.Concat(Enumerable.Repeat("😀\0", 20_000));
        Add(false, "p", 7, text);
        Flush();

        var joined = "";
        foreach (var (_, offset, piece) in Read())
        {
            Assert.Equal(7 + joined.Length, offset);
            joined += piece;
        }

        Assert.Equal(text, joined);
        Assert.All(sent, happened => Assert.True(happened.Data.Length < BoxEvent.MaxDataBytes));
    }

    private void Add(bool reasoning, string part, int offset, string delta) => sent.AddRange(coalescer.Add(reasoning, part, offset, delta));

    private void Flush() => sent.AddRange(coalescer.Flush());

    private (string Kind, int Offset, string Text)[] Read() => sent
        .Select(happened => (happened.Kind, Data: JsonDocument.Parse(happened.Data).RootElement))
        .Select(happened => (happened.Kind, happened.Data.GetProperty("offset").GetInt32(), happened.Data.GetProperty("text").GetString()!))
        .ToArray();
}
