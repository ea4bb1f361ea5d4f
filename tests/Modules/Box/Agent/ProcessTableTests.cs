using Coordinator.Sandbox.Processes;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Agent;

public sealed class ProcessTableTests
{
    [Theory]
    [InlineData("7 (sleep) S 3 7 7 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 12345 1 1")]
    [InlineData("7 (a) b) (c d) S 3 7 7 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 12345 1 1")]
    public void A_name_with_brackets_and_spaces_confuses_nobody(string stat) =>
        Assert.Equal(new ProcessEntry(new ProcessId(7, 12345), 3, 'S'), ProcessTable.Parse(7, stat));

    [Theory]
    [InlineData("")]
    [InlineData("7 (sleep")]
    [InlineData("7 (sleep) S")]
    public void What_is_no_entry_is_none(string stat) => Assert.Null(ProcessTable.Parse(7, stat));

    [Fact]
    public void Descendants_are_found_at_any_depth_and_nothing_else_is()
    {
        ProcessEntry[] table = [Entry(1, 0), Entry(2, 1), Entry(3, 2), Entry(4, 3), Entry(5, 1), Entry(6, 6)];

        Assert.Equal([3, 4], ProcessTable.Descendants(table, 2).Select(process => process.Pid).Order());
    }

    [Fact]
    public void This_process_is_in_the_table() =>
        Assert.Contains(ProcessTable.Read(), entry => entry.Id.Pid == Environment.ProcessId && !entry.IsZombie);

    private static ProcessEntry Entry(int pid, int parent) => new(new ProcessId(pid, pid * 10), parent, 'S');
}
