using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Coordinator.Sandbox.Commands;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Agent;

[SupportedOSPlatform("linux")]
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

    /// <summary>As after a <c>chmod -R 644</c>: its names may be read, and nothing of them.</summary>
    [Fact]
    public void A_folder_that_may_be_listed_and_not_entered_keeps_nothing_else_from_being_measured()
    {
        Directory.CreateDirectory(folder["sealed"]);
        Write("sealed/a", 500);
        Write("z", 900);
        var watch = Watch(limit: 0);
        File.SetUnixFileMode(folder.Path, (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(folder["sealed"], (UnixFileMode)0b110_100_100);
        try
        {
            LesserThread.Run(() =>
            {
                Assert.Throws<UnauthorizedAccessException>(() => new FileInfo(folder["sealed/a"]).Length);
                watch.Look();
            });
        }
        finally
        {
            File.SetUnixFileMode(folder["sealed"], (UnixFileMode)0b111_101_101);
        }

        Assert.Equal(900, watch.UsedBytes);
    }

    private DiskWatch Watch(long limit) => new([folder.Path, folder["not-there"]], limit, told.Add, TimeProvider.System);

    private void Write(string name, int bytes) => File.WriteAllBytes(folder[name], new byte[bytes]);
}

/// <summary>Reaches files as somebody who owns none and may no more than all may: who runs tests may be root, for whom no folder is closed.</summary>
internal static class LesserThread
{
    private const int Nobody = 65534;

    public static void Run(Action work)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            _ = SetFileSystemUser(Nobody);
            failure = Record.Exception(work);
        });
        thread.Start();
        thread.Join();
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>Linux: of the calling thread alone, which ends with it. Who is not root stays who they are.</summary>
    [DllImport("libc", EntryPoint = "setfsuid")]
    private static extern int SetFileSystemUser(int user);
}
