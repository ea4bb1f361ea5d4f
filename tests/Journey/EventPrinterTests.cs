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

    [Fact]
    public void An_answer_that_begins_anew_is_said_to_and_printed_from_its_beginning()
    {
        Assert.Equal(["Hello wo", "(the answer begins anew)", "Hello you!"], Printed(
            Text(seq: 4, from: null, offset: 0, "Hello wo"),
            Text(seq: 5, from: null, offset: 6, "you!")));
        Assert.Equal(["Hel", "(the answer begins anew)", "Good day"], Printed(
            Text(seq: 4, from: null, offset: 0, "Hel"),
            Text(seq: 5, from: null, offset: 0, ""),
            Text(seq: 6, from: null, offset: 0, "Good"),
            Text(seq: 7, from: null, offset: 4, " day")));
    }

    [Theory]
    [InlineData("agent.retrying", """{"attempt":2,"reason":"the provider is busy"}""", "(the model is asked again, attempt 2: the provider is busy)")]
    [InlineData("agent.retrying", "{}", "(the model is asked again)")]
    [InlineData("sandbox.booting", """{"phase":"create","status":"progress","code":"sandbox_full","detail":"This machine runs 8 boxes."}""", "box: waits (sandbox_full): This machine runs 8 boxes.")]
    [InlineData("events.lost", """{"reason":"restored"}""", "(a part of what happened here is lost: restored)")]
    public void What_keeps_an_answer_waiting_is_said(string type, string data, string line) =>
        Assert.Equal([line, ""], Printed(Event(type, data)));

    [Fact]
    public void What_a_phase_says_while_it_goes_well_is_left_out() =>
        Assert.Equal([""], Printed(Event("sandbox.booting", """{"phase":"install","status":"progress","output":"added 3 packages"}""")));

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

    private static string[] Printed(params SessionEvent[] events)
    {
        using var output = new StringWriter();
        var console = Terminal.To(output, isRedirected: true);
        console.Profile.Capabilities.Ansi = false;
        var printer = new EventPrinter(console);
        foreach (var e in events) printer.Print(e);
        return output.ToString().ReplaceLineEndings("\n").Split('\n');
    }

    private static SessionEvent Event(string type, string data) => JsonSerializer.Deserialize(
        $$"""{"cursor":"1.1","seq":1,"at":"2026-01-02T03:04:05.678Z","type":"{{type}}","data":{{data}}}""",
        ClientJson.Default.SessionEvent)!;

    private static SessionEvent Text(long seq, long? from, int offset, string text) => Text(seq, from, offset.ToString(System.Globalization.CultureInfo.InvariantCulture), text);

    private static SessionEvent Text(long seq, long? from, string offset, string text) => JsonSerializer.Deserialize(
        $$$"""{"cursor":"1.{{{seq}}}","seq":{{{seq}}},{{{(from is null ? "" : $"\"from\":{from},")}}}"at":"2026-01-02T03:04:05.678Z","type":"agent.text","messageId":"msg_1","data":{"part":"p","offset":{{{offset}}},"text":"{{{text}}}"}}""",
        ClientJson.Default.SessionEvent)!;
}
