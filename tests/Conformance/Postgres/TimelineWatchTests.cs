using Coordinator.Adapters.Postgres.Backup;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Microsoft.Extensions.Logging;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>A database that was promoted while somebody, such as a backup of the standby that it was, reads its tables.</summary>
public sealed class TimelineWatchTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    [Fact]
    public async Task While_somebody_reads_its_tables_that_is_told_and_tried_again_and_sessions_are_opened_written_and_read_between()
    {
        var time = new ManualTime();
        using var log = new CapturedLog();
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(log));
        await using var host = new PostgresSessions(postgres.ConnectionString);
        var keeper = new Keeper();
        using var watch = host.Create<TimelineWatch>(time, new IKeepsSessions[] { keeper }, loggers.CreateLogger<TimelineWatch>());
        var lease = await OpenAsync(host);
        await ExecuteAsync(host, "UPDATE database_timeline SET timeline = timeline + 1"); // where it was
        await using var reader = await host.Owner.OpenConnectionAsync();
        await using var transaction = await reader.BeginTransactionAsync();
        await using (var read = new NpgsqlCommand("SELECT count(*) FROM session_head", reader)) await read.ExecuteScalarAsync();

        var look = watch.LookAsync(default);
        await Eventually.HoldsAsync(() => log.Text.Split([' ', ',']).Contains($"{reader.ProcessID}"), "that it is told who is in the way");

        Assert.True(await host.Journal.AppendAsync(lease, Append(0), default));
        Assert.NotNull(await OpenAsync(host));
        Assert.Equal((1L, lease.Incarnation), ((await host.Journal.FindHeadAsync(lease.Key, default))!.Version, (await host.Journal.FindHeadAsync(lease.Key, default))!.Incarnation));
        await Eventually.AdvanceAsync(time, TimelineWatch.Interval, () => look.IsCompleted);
        await look;
        Assert.Equal(1, keeper.Times); // what is in memory is older than what the database has
        await transaction.RollbackAsync();

        await Eventually.HoldsAsync(
            async () =>
            {
                var again = watch.LookAsync(default);
                await Eventually.AdvanceAsync(time, TimelineWatch.Interval, () => again.IsCompleted);
                await again;
                return (await host.Journal.FindHeadAsync(lease.Key, default))!.Incarnation != lease.Incarnation;
            },
            "that the session is another incarnation");

        Assert.Equal(2, keeper.Times);
        Assert.False(await host.Journal.AppendAsync(lease, Append(1), default));
    }

    private static async Task<JournalLease> OpenAsync(PostgresSessions host) =>
        (await host.Journal.OpenAsync(new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System)), HostId.New(TimeProvider.System), create: true, default))!;

    private static JournalAppend Append(long version) => new(version, "{}"u8.ToArray(), 1, DateTimeOffset.UnixEpoch, null, "{}"u8.ToArray());

    private static async Task ExecuteAsync(PostgresSessions host, string sql)
    {
        await using var command = host.Owner.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private sealed class Keeper : IKeepsSessions
    {
        public int Times { get; private set; }

        public Task BeginAnewAsync(CancellationToken cancellationToken)
        {
            Times++;
            return Task.CompletedTask;
        }
    }
}
