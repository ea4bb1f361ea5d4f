using Coordinator.Sandbox.Events;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Events;

public sealed class JsonTextTests
{
    [Fact]
    public void What_is_said_to_fit_fits_when_it_is_escaped() =>
        Prop.ForAll(Text(), Gen.Choose(0, 60).ToArbitrary(), (text, room) =>
        {
            var start = text[..JsonText.FitFromStart(text, room)];
            var end = text[^JsonText.FitFromEnd(text, room)..];
            return Escaped(start) <= room && Escaped(end) <= room;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_pair_is_taken_whole_or_not_at_all() =>
        Prop.ForAll(Text(), Gen.Choose(0, 60).ToArbitrary(), (text, room) =>
        {
            var start = JsonText.FitFromStart(text, room);
            var end = text.Length - JsonText.FitFromEnd(text, room);
            return !Splits(text, start) && !Splits(text, end);
        }).QuickCheckThrowOnFailure();

    private static bool Splits(string text, int at) => at > 0 && at < text.Length && char.IsSurrogatePair(text[at - 1], text[at]);

    private static Arbitrary<string> Text() => Gen.Elements("a", "ä", "漢", "😀", "\0", "\"", "\\", "\n", "\ud800", "\u2028", "\u007f", "\ue000").ArrayOf().Select(pieces => string.Concat(pieces)).ToArbitrary();

    private static int Escaped(string text) => EventJson.Write(json => json.WriteString("", text)).Length - EventJson.Write(json => json.WriteString("", "")).Length;
}
