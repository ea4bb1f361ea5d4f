using System.Text.Json;
using Coordinator.Cli;
using Coordinator.Client;
using Xunit;

namespace Coordinator.Tests.Journey;

public sealed class EventPrinterTests
{
    [Fact]
    public void Text_that_was_merged_since_is_printed_once_by_whoever_comes_back_in_the_middle_of_it()
    {
        var printer = new EventPrinter();

        Assert.Equal("Hel", printer.NewOf(Text(seq: 4, from: null, offset: 0, "Hel")));
        Assert.Equal("lo ", printer.NewOf(Text(seq: 5, from: null, offset: 3, "lo ")));
        Assert.Equal("you!", printer.NewOf(Text(seq: 7, from: 4, offset: 0, "Hello you!")));
        Assert.Equal("", printer.NewOf(Text(seq: 7, from: 4, offset: 0, "Hello you!")));
        Assert.Equal(" Bye", printer.NewOf(Text(seq: 8, from: null, offset: 10, " Bye")));
    }

    [Fact]
    public void Whoever_begins_in_the_middle_prints_what_comes() =>
        Assert.Equal("you", new EventPrinter().NewOf(Text(seq: 6, from: null, offset: 6, "you")));

    [Theory]
    [InlineData("\"3\"")]
    [InlineData("null")]
    [InlineData("0.5")]
    [InlineData("1e99")]
    [InlineData("-1")]
    [InlineData("-2147483648")]
    public void A_piece_that_says_no_place_is_printed_where_the_text_ends(string offset)
    {
        var printer = new EventPrinter();

        Assert.Equal("Hel", printer.NewOf(Text(seq: 4, from: null, offset: "0", "Hel")));
        Assert.Equal("lo", printer.NewOf(Text(seq: 5, from: null, offset, "lo")));
    }

    [Theory]
    [InlineData("\"long\"")]
    [InlineData("1.5")]
    public void A_phase_that_says_no_time_is_printed_without_one(string elapsed) => new EventPrinter().Print(JsonSerializer.Deserialize(
        $$$"""{"cursor":"1.1","seq":1,"at":"2026-01-02T03:04:05.678Z","type":"sandbox.booting","data":{"phase":"clone","status":"completed","elapsedMs":{{{elapsed}}}}}""",
        ClientJson.Default.SessionEvent)!);

    [Fact]
    public void An_event_says_which_ones_it_covers()
    {
        Assert.Equal(4, Text(seq: 7, from: 4, offset: 0, "Hello").From);
        Assert.Null(Text(seq: 7, from: null, offset: 0, "Hello").From);
    }

    private static SessionEvent Text(long seq, long? from, int offset, string text) => Text(seq, from, offset.ToString(System.Globalization.CultureInfo.InvariantCulture), text);

    private static SessionEvent Text(long seq, long? from, string offset, string text) => JsonSerializer.Deserialize(
        $$$"""{"cursor":"1.{{{seq}}}","seq":{{{seq}}},{{{(from is null ? "" : $"\"from\":{from},")}}}"at":"2026-01-02T03:04:05.678Z","type":"agent.text","messageId":"msg_1","data":{"part":"p","offset":{{{offset}}},"text":"{{{text}}}"}}""",
        ClientJson.Default.SessionEvent)!;
}
