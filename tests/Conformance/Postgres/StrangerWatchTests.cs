using Coordinator.Adapters.Postgres.Hosts;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>Two hosts on one database, neither of which was given an address for its peers.</summary>
public sealed class StrangerWatchTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    [Fact]
    public async Task Another_host_that_stays_is_told_once_and_that_it_left()
    {
        using var log = new CapturedLog();
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(log));
        await using var host = new PostgresSessions(postgres.ConnectionString);
        using var watch = host.Create<StrangerWatch>(loggers.CreateLogger<StrangerWatch>());

        await watch.LookAsync(default);
        await watch.LookAsync(default);
        Assert.Empty(log.Text);

        await using (var other = new PostgresSessions(postgres.ConnectionString))
        {
            await using var connected = await other.System.OpenConnectionAsync();
            await watch.LookAsync(default);
            Assert.Empty(log.Text);
            await watch.LookAsync(default);
            await watch.LookAsync(default);
            Assert.Contains("Set Cluster:Address at every host", Assert.Single(log.Text.Split('\n')), StringComparison.Ordinal);
        }

        await EmbeddedServerFolder.UntilAsync("the other's connections are gone", async () =>
        {
            await watch.LookAsync(default);
            return log.Text.Contains("No other host uses this database", StringComparison.Ordinal);
        });
        Assert.Equal(2, log.Text.Split('\n').Length);
    }
}
