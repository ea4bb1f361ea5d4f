using System.Globalization;
using Coordinator.Host.Starting;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Coordinator.Tests.Modules.Host;

/// <summary>The process id of a host that serves, for scripts.</summary>
public sealed class PidFileTests : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    private readonly ManualTime time = new();
    private readonly string folder = Directory.CreateTempSubdirectory("coordinator-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Path => System.IO.Path.Combine(folder, "host.pid");

    private PidFile NewFile() => new(new ConfigurationBuilder().AddInMemoryCollection([new("DataDirectory", folder)]).Build(), time, NullLogger<PidFile>.Instance);

    [Fact]
    public async Task A_full_disk_is_waited_for()
    {
        File.CreateSymbolicLink(Path, "/dev/full");
        using var file = NewFile();

        await file.StartedAsync(default);
        Assert.False(File.Exists(Path));
        time.Advance(TimeSpan.FromSeconds(10));

        Assert.True(SpinWait.SpinUntil(() => File.Exists(Path) && File.ReadAllText(Path).Length > 0, Bound));
        Assert.Equal(Environment.ProcessId.ToString(CultureInfo.InvariantCulture), await File.ReadAllTextAsync(Path));
        await file.StoppedAsync(default);
        Assert.False(File.Exists(Path));
    }

    [Fact]
    public async Task A_host_that_never_listened_leaves_the_file_of_the_one_that_does()
    {
        await File.WriteAllTextAsync(Path, "1");
        using var file = NewFile();

        await file.StartAsync(default);
        await file.StopAsync(default);
        await file.StoppedAsync(default);

        Assert.Equal("1", await File.ReadAllTextAsync(Path));
    }
}
