using Coordinator.Host.Health;
using Coordinator.Ports;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Coordinator.Tests.Modules.Host;

/// <summary>What <c>/health/ready</c> tells of a dependency that fails in answering how it is.</summary>
public sealed class DependencyHealthTests : IDisposable
{
    private readonly CapturedLog log = new();
    private readonly ILoggerFactory loggers;

    public DependencyHealthTests() => loggers = LoggerFactory.Create(logging => logging.AddProvider(log));

    public void Dispose()
    {
        loggers.Dispose();
        log.Dispose();
    }

    [Fact]
    public async Task One_that_fails_as_nobody_foresaw_is_told_as_not_ready_and_the_log_alone_has_why()
    {
        var report = await CheckAsync(new InvalidOperationException("an answer that belongs elsewhere"));

        var told = Assert.Single(report.Dependencies, one => !one.Ready);
        Assert.Equal(("unavailable", "broken"), (report.Status, told.Name));
        Assert.NotEmpty(told.Reason!);
        Assert.DoesNotContain("belongs elsewhere", told.Reason, StringComparison.Ordinal);
        Assert.Contains("an answer that belongs elsewhere", log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_fails_in_a_way_of_a_port_is_told_with_its_words_and_is_nothing_for_the_log()
    {
        var report = await CheckAsync(new PortException(PortFailureKind.Unavailable, "It is away."));

        Assert.Equal("It is away.", Assert.Single(report.Dependencies, one => !one.Ready).Reason);
        Assert.Empty(log.Text);
    }

    private async Task<ReadinessReport> CheckAsync(Exception failure)
    {
        using var health = new DependencyHealth([new Dependency("works", null), new Dependency("broken", failure)], new ManualTime(), loggers.CreateLogger<DependencyHealth>());
        return await health.CheckAsync(default);
    }

    private sealed class Dependency(string name, Exception? failure) : IHostDependency
    {
        public string Name => name;

        public string Description => name;

        public bool IsRequired => true;

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public ValueTask<string?> CheckAsync(CancellationToken cancellationToken) => failure is null ? new((string?)null) : throw failure;
    }
}
