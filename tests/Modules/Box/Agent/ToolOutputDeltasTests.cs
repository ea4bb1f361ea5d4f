using System.Text;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Sandbox.Agent;
using Coordinator.Sandbox.Events;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Agent;

public sealed class ToolOutputDeltasTests
{
    private readonly ToolOutputDeltas deltas = new(MessageId.New(TimeProvider.System), "call", new Redactor());
    private string shown = "";

    [Fact]
    public void Only_what_is_new_is_sent_at_its_offset()
    {
        Assert.Equal([(0, "one\n")], Advance("one\n"));
        Assert.Equal([(4, "two\n")], Advance("one\ntwo\n"));
        Assert.Empty(Advance("one\ntwo\n"));
    }

    [Fact]
    public void Output_that_was_replaced_is_sent_again_from_where_it_differs()
    {
        Advance("progress 10%");

        Assert.Equal([(9, "20%")], Advance("progress 20%"));
    }

    [Fact]
    public void Streaming_stops_for_good_at_256_KiB()
    {
        Advance(new string('x', 200_000));
        Advance(new string('x', 900_000));

        Assert.Equal(ToolOutputDeltas.MaxBytes, shown.Length);
        Assert.Empty(Advance("short"));
    }

    [Fact]
    public void A_tool_that_rewrites_its_output_over_and_over_is_bounded_too()
    {
        var sent = 0L;
        for (var i = 0; i < 1_000; i++) sent += Advance($"{i % 10}{new string('x', 5_000)}").Sum(delta => (long)delta.Text.Length);

        Assert.InRange(sent, 1, ToolOutputDeltas.MaxBytes);
    }

    [Fact]
    public void What_a_client_puts_together_is_what_the_tool_printed() =>
        Prop.ForAll(Gen.Elements("a", "漢", "😀", "\0", "\n").ArrayOf().Select(pieces => string.Concat(pieces)).ArrayOf().ToArbitrary(), pieces =>
        {
            var one = new ToolOutputDeltas(MessageId.New(TimeProvider.System), "call", new Redactor());
            var (printed, seen) = ("", "");
            foreach (var piece in pieces)
            {
                printed += piece;
                foreach (var (offset, text) in Read(one.Advance(printed))) seen = seen[..offset] + text;
            }

            return seen == printed;
        }).QuickCheckThrowOnFailure();

    private (int Offset, string Text)[] Advance(string output)
    {
        var sent = Read(deltas.Advance(output));
        foreach (var (offset, text) in sent) shown = shown[..offset] + text;
        return sent;
    }

    private static (int Offset, string Text)[] Read(IReadOnlyList<BoxEvent> events) => events
        .Select(happened => JsonDocument.Parse(Encoding.UTF8.GetString(happened.Data.Span)).RootElement)
        .Select(data => (data.GetProperty("offset").GetInt32(), data.GetProperty("output").GetString()!))
        .ToArray();
}
