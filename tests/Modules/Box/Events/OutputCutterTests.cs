using System.Text;
using Coordinator.Sandbox.Events;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Events;

public sealed class OutputCutterTests
{
    [Fact]
    public void Short_output_is_carried_whole()
    {
        var output = new string('x', OutputCutter.MaxBytes);

        Assert.Equal(new CutOutput(output, output.Length, false), OutputCutter.Cut(output));
    }

    [Fact]
    public void Long_output_keeps_its_first_and_last_16_KiB_around_a_line_that_says_what_is_missing()
    {
        var output = new string('a', 100_000) + new string('z', 100_000);

        var cut = OutputCutter.Cut(output);

        Assert.True(cut.Truncated);
        Assert.Equal(200_000, cut.Length);
        Assert.Equal($"{new string('a', 16_384)}\n… {200_000 - 32_768} bytes left out …\n{new string('z', 16_384)}", cut.Text);
    }

    [Fact]
    public void A_flood_of_200_MB_is_cut_like_any_other()
    {
        var cut = OutputCutter.Cut(new string('a', 200_000_000));

        Assert.Equal(200_000_000, cut.Length);
        Assert.InRange(cut.Text.Length, 32_768, 33_000);
    }

    [Fact]
    public void A_cut_never_falls_into_a_surrogate_pair()
    {
        for (var shift = 0; shift < 4; shift++)
        {
            var output = new string('x', shift) + string.Concat(Enumerable.Repeat("😀", 30_000)) + new string('y', shift);

            Assert.DoesNotContain('\ufffd', Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(OutputCutter.Cut(output).Text)));
        }
    }

    [Fact]
    public void A_cut_never_falls_into_a_terminal_s_escape_sequence()
    {
        for (var shift = 0; shift < 12; shift++)
        {
            var output = new string('x', shift) + string.Concat(Enumerable.Repeat("\u001b[38;5;1mred", 8_000)) + new string('y', shift);

            var text = OutputCutter.Cut(output).Text;
            var lines = text.Split('\n');
            Assert.Matches("^x*(\u001b\\[38;5;1m(red|re|r)?)*$", lines[0]);
            Assert.Matches("^(red|ed|d)?(\u001b\\[38;5;1mred)*y*$", lines[^1]);
        }
    }

    [Fact]
    public void What_is_kept_and_what_is_left_out_add_up_whatever_the_output_holds() =>
        Prop.ForAll(Gen.Elements("a", "ä", "漢", "😀", "\0", "\u001b[1m", "\"", "\n", "\ud800").ArrayOf().Select(pieces => string.Concat(pieces)).ToArbitrary(), Gen.Choose(1, 4000).ToArbitrary(), (piece, times) =>
        {
            var output = string.Concat(Enumerable.Repeat(piece, times));
            var cut = OutputCutter.Cut(output);
            if (!cut.Truncated) return cut.Text == output;
            var at = cut.Text.IndexOf("\n… ", StringComparison.Ordinal);
            var after = cut.Text.IndexOf(" bytes left out …\n", at, StringComparison.Ordinal);
            var left = long.Parse(cut.Text[(at + 3)..after], System.Globalization.CultureInfo.InvariantCulture);
            var head = cut.Text[..at];
            var tail = cut.Text[(after + " bytes left out …\n".Length)..];
            return output.StartsWith(head, StringComparison.Ordinal) && output.EndsWith(tail, StringComparison.Ordinal)
                && Encoding.UTF8.GetByteCount(head) + Encoding.UTF8.GetByteCount(tail) + left == cut.Length
                && Encoding.UTF8.GetByteCount(head) + Encoding.UTF8.GetByteCount(tail) <= OutputCutter.MaxBytes;
        }).QuickCheckThrowOnFailure();
}
