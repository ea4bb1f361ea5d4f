using Coordinator.Cli;
using Spectre.Console;
using Xunit;

namespace Coordinator.Tests.Journey;

/// <summary>What the command line writes for a person, and for another program.</summary>
public sealed class TerminalTests
{
    [Fact]
    public void A_table_that_goes_to_another_program_has_each_row_in_one_line()
    {
        var title = string.Join(' ', Enumerable.Repeat("a title that is long", 20));
        using var writer = new StringWriter();

        Terminal.To(writer, isRedirected: true).Write(new Table().AddColumns("Id", "Title", "Status").AddRow("ses_06f7jgn5z8x3q2m1k4c9v0b7ta", title, "stopped"));

        var row = Assert.Single(writer.ToString().Split('\n'), line => line.Contains("ses_06f7jgn5z8x3q2m1k4c9v0b7ta", StringComparison.Ordinal));
        Assert.Contains(title, row, StringComparison.Ordinal);
        Assert.Contains("stopped", row, StringComparison.Ordinal);
    }
}
