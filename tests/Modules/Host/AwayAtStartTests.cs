using Coordinator.Host.Logging;
using Coordinator.Host.Starting;
using Coordinator.Ports;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Coordinator.Tests.Modules.Host;

/// <summary>What an operator reads of a host that starts while something it needs is away.</summary>
public sealed class AwayAtStartTests : IDisposable
{
    private readonly ManualTime time = new();
    private readonly CapturedLog log = new();
    private readonly OutageLogging logging;

    public AwayAtStartTests() => logging = new(new LoggerFactory([log], new LoggerFilterOptions { MinLevel = LogLevel.Information }), time);

    public void Dispose()
    {
        logging.Dispose();
        log.Dispose();
    }

    [Fact]
    public async Task It_is_told_when_it_begins_once_a_minute_and_when_it_is_over_each_dependency_for_itself()
    {
        using var over = new CancellationTokenSource();
        Away[] all = [new("database", new PortException(PortFailureKind.Unavailable, "Nobody listens there.")), new("keys", new IOException("No space left on device", 28))];
        using var startup = new HostStartup(all, new HostReadiness(), null!, null!, null!, null!, new Started(), time, logging);
        await startup.StartAsync(over.Token);

        for (var second = 0; second < 120; second++)
        {
            await time.WaitForTimersAsync(all.Length * 2); // each waits to try again, and its outage to be told of
            time.Advance(TimeSpan.FromSeconds(1));
        }

        var said = log.Text.Split('\n').Where(line => line.Contains("did not start", StringComparison.Ordinal)).Select(line => line.TrimEnd()).ToList();
        await over.CancelAsync();
        await startup.StopAsync(default);

        Assert.Equal(all.Length * 3, said.Count);
        Assert.Equal("Warning database did not start, and is tried again. Nobody listens there.", said.First(line => line.Contains("database", StringComparison.Ordinal)));
        Assert.Equal("Warning keys did not start, and is tried again. No space left on device", said.First(line => line.Contains("keys", StringComparison.Ordinal)));
        Assert.Equal(all.Length * 2, said.Count(line => line.Contains("more like it", StringComparison.Ordinal)));
        Assert.DoesNotContain("   at ", log.Text, StringComparison.Ordinal);
    }

    private sealed class Away(string name, Exception failure) : IHostDependency
    {
        public string Name => name;

        public string Description => name;

        public bool IsRequired => true;

        public Task StartAsync(CancellationToken cancellationToken) => Task.FromException(failure);

        public ValueTask<string?> CheckAsync(CancellationToken cancellationToken) => new(failure.Message);
    }

    private sealed class Started : IHostApplicationLifetime
    {
        public CancellationToken ApplicationStarted => new(canceled: true);

        public CancellationToken ApplicationStopping => CancellationToken.None;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication()
        {
        }
    }
}
