using Coordinator.Sandbox.Commands;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Agent;

public sealed class DiskWatchTests : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly List<long> told = [];

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Growth_over_the_limit_is_told_and_shrinking_is_not()
    {
        var watch = Watch(limit: 1_000);
        Write("a", 900);
        watch.Look();
        Assert.Empty(told);

        Write("b", 900);
        watch.Look();
        Assert.Equal([1_800], told);

        Write("b", 500);
        watch.Look();
        watch.Look();
        Assert.Equal([1_800], told);
        Assert.Equal(1_400, watch.UsedBytes);
    }

    [Fact]
    public void Without_a_limit_the_disk_is_measured_only()
    {
        var watch = Watch(limit: 0);
        Write("a", 5_000);

        watch.Look();

        Assert.Empty(told);
        Assert.Equal(5_000, watch.UsedBytes);
    }

    [Fact]
    public void Links_are_not_followed_out_of_the_box()
    {
        File.CreateSymbolicLink(folder["link"], "/usr");
        Directory.CreateSymbolicLink(folder["folder"], "/usr");
        var watch = Watch(limit: 1);

        watch.Look();

        Assert.Equal(0, watch.UsedBytes);
    }

    private DiskWatch Watch(long limit) => new([folder.Path, folder["not-there"]], limit, told.Add, TimeProvider.System);

    private void Write(string name, int bytes) => File.WriteAllBytes(folder[name], new byte[bytes]);
}
