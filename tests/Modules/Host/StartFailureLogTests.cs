using Coordinator.Starting;
using Coordinator.Tests.Support.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Coordinator.Tests.Modules.Host;

/// <summary>What the log says of a host that does not get to serve: each failure once, wherever it comes from.</summary>
public sealed class StartFailureLogTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_service_in_the_background_that_fails_before_the_host_has_started_is_told_once_for_nobody_else_tells_it()
    {
        var text = await TextOfStartAsync(services => services.AddHostedService<FailingBehind>().AddHostedService<Waiting>());

        Assert.Single(text.Split('\n'), line => line.Contains("InvalidOperationException: canary", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_the_start_itself_ends_with_is_left_to_whoever_started_it() =>
        Assert.DoesNotContain("canary", await TextOfStartAsync(services => services.AddHostedService<Failing>()), StringComparison.Ordinal);

    private static async Task<string> TextOfStartAsync(Action<IServiceCollection> add)
    {
        using var log = new CapturedLog();
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new());
        builder.Logging.AddProvider(log);
        var startFailures = StartFailureLog.KeepQuiet(builder.Logging);
        add(builder.Services);
        using var host = builder.Build();
        startFailures.Of(host.Services.GetRequiredService<IHostApplicationLifetime>());

        Assert.NotNull(await Record.ExceptionAsync(() => host.StartAsync().WaitAsync(Bound)));
        await host.StopAsync().WaitAsync(Bound);
        return log.Text;
    }

    private sealed class FailingBehind : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            throw new InvalidOperationException("canary");
        }
    }

    /// <summary>Takes as long to start as the host is not told to stop.</summary>
    private sealed class Waiting(IHostApplicationLifetime lifetime) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, lifetime.ApplicationStopping);

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class Failing : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.FromException(new InvalidOperationException("canary"));

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
