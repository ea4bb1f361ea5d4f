using Coordinator.Sandbox.Storage;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Storage;

public sealed class BoxStateTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Two_programs_never_share_a_state()
    {
        using var first = BoxState.TryOpen(folder.Path, "box_a", 1);

        Assert.NotNull(first);
        Assert.Null(BoxState.TryOpen(folder.Path, "box_a", 1));
    }

    [Fact]
    public void The_next_box_starts_with_the_session_s_notes_and_its_own_numbers()
    {
        string old;
        using (var first = BoxState.TryOpen(folder.Path, "box_a", 1)!)
        {
            old = first.LedgerFile;
            File.WriteAllText(old, "{}\n");
            first.Write("conversation-opencode", "ses_1");
        }

        using var second = BoxState.TryOpen(folder.Path, "box_b", 2)!;

        Assert.Equal("ses_1", second.Read("conversation-opencode"));
        Assert.False(File.Exists(old));
        Assert.False(File.Exists(second.LedgerFile));
    }
}
