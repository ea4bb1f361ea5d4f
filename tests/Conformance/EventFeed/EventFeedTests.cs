using Coordinator.Adapters.Postgres;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.EventFeed;

public sealed class InMemoryEventFeedTests : EventFeedContract
{
    private readonly ManualTime time = new();
    private readonly InMemoryEventFeed feed;

    public InMemoryEventFeedTests() => feed = new(time);

    protected override IEventFeed Feed => feed;

    protected override ValueTask TamperAsync(OrganizationId organization, string topic, long watermark, byte[] payload)
    {
        feed.Tamper(organization, topic, watermark, document => document with { Payload = payload });
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_lost_wake_up_delays_and_does_not_silence()
    {
        feed.LosesWakeUps = true;
        var waiting = Feed.WaitAsync(Organization, Known(0), default).AsTask();
        await PublishAsync(1);
        Assert.False(waiting.IsCompleted);

        time.Advance(feed.PollInterval);

        await waiting.WaitAsync(TimeSpan.FromSeconds(20));
    }
}

public sealed class PostgresEventFeedTests : EventFeedContract, IClassFixture<PostgresFixture>, IAsyncDisposable
{
    private readonly PostgresFixture postgres;
    private readonly List<ServiceProvider> providers = [];

    public PostgresEventFeedTests(PostgresFixture postgres)
    {
        this.postgres = postgres;
        Feed = Over(postgres.DataSource);
    }

    protected override IEventFeed Feed { get; }

    protected override ValueTask TamperAsync(OrganizationId organization, string topic, long watermark, byte[] payload) =>
        AsOwnerAsync("UPDATE feed_entry SET payload = $1 WHERE org = $2 AND topic = $3 AND watermark = $4", payload, organization.Value, topic, watermark);

    public async ValueTask DisposeAsync()
    {
        foreach (var provider in providers) await provider.DisposeAsync();
    }

    [Fact]
    public async Task The_wake_up_is_broadcast_before_the_commit_and_is_lost()
    {
        // Somebody else publishes and does not commit yet: whoever waits must neither be woken nor see it.
        await using var connection = await postgres.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var publication = await Adapters.Postgres.Feed.FeedPublication.LockAsync(connection, Organization, [Document("a", 1)], default);
        var waiting = Feed.WaitAsync(Organization, Known(0), default).AsTask();
        await publication.WriteAsync(connection, default);
        Assert.Empty((await Feed.ReadAsync(Organization, Topic, 0, 10, default)).Value.Entries);
        Assert.False(waiting.IsCompleted);

        await transaction.CommitAsync();

        await waiting.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Single((await Feed.ReadAsync(Organization, Topic, 0, 10, default)).Value.Entries);
    }

    [Fact]
    public async Task A_publishing_that_fails_leaves_no_gap()
    {
        await PublishAsync(2);
        await using (var connection = await postgres.DataSource.OpenConnectionAsync())
        await using (await connection.BeginTransactionAsync())
        {
            var publication = await Adapters.Postgres.Feed.FeedPublication.LockAsync(connection, Organization, [Document("lost", 1)], default);
            await publication.WriteAsync(connection, default);
            Assert.Equal(3, publication.Heads[Topic]);
        }

        await PublishAsync(3);

        Assert.Equal([1L, 2L, 3L], (await Feed.ReadAsync(Organization, Topic, 0, 10, default)).Value.Entries.Select(entry => entry.Watermark));
    }

    [Fact]
    public async Task A_wake_up_that_is_not_heard_is_found_by_looking()
    {
        var waiting = Feed.WaitAsync(Organization, Known(0), default).AsTask();
        await postgres.Owner.CreateCommand("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()").ExecuteNonQueryAsync();
        await PublishAsync(1);

        await waiting.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task A_topic_subscription_checks_the_scope_but_not_the_tenant_of_each_document()
    {
        await PublishAsync(3);
        var foreign = OrganizationId.New(TimeProvider.System);

        foreach (var table in (string[])["feed_topic", "feed_entry", "feed_document"])
        {
            Assert.Equal(0L, await CountAsync(foreign, table));
            Assert.NotEqual(0L, await CountAsync(Organization, table));
        }
    }

    [Fact]
    public async Task A_lost_answer_says_that_the_documents_may_be_there()
    {
        await using var proxy = PostgresBehindProxy.Before(postgres.ConnectionString);
        await using var source = PostgresFixture.SharedPool(new NpgsqlConnectionStringBuilder(proxy.Through(postgres.ConnectionString)) { CommandTimeout = 2 }.ConnectionString);
        var feed = Over(source);
        await feed.PublishAsync(Organization, [Document("a", 1)], default);
        await using var holder = await postgres.DataSource.OpenConnectionAsync();
        await using var held = await holder.BeginTransactionAsync();
        await Adapters.Postgres.Feed.FeedPublication.LockAsync(holder, Organization, [Document("a", 1)], default);
        var publishing = feed.PublishAsync(Organization, [Document("a", 2)], default).AsTask();
        proxy.Refuse();
        await held.RollbackAsync();

        var failure = await Assert.ThrowsAsync<PortException>(() => publishing);

        Assert.Contains(failure.Kind, (PortFailureKind[])[PortFailureKind.Unavailable, PortFailureKind.Timeout]);
        await Feed.PublishAsync(Organization, [Document("a", 2)], default);
        Assert.Equal(2, (await Feed.FindTopicAsync(Organization, Topic, default)).Head);
    }

    private IEventFeed Over(NpgsqlDataSource source)
    {
        var services = new ServiceCollection().AddLogging().AddOptions();
        services.AddSingleton(source);
        services.AddSingleton(TimeProvider.System);
        services.Configure<DatabaseOptions>(options => options.Feed.PollInterval = TimeSpan.FromSeconds(2));
        var provider = services.AddPostgresEventFeed().BuildServiceProvider();
        providers.Add(provider);
        return provider.GetRequiredService<IEventFeed>();
    }

    private async Task<long> CountAsync(OrganizationId organization, string table)
    {
        await using var connection = await postgres.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { Scope(organization), new($"SELECT count(*) FROM {table} WHERE org IS NOT NULL") } };
        await using var reader = await batch.ExecuteReaderAsync();
        await reader.NextResultAsync();
        await reader.ReadAsync();
        return reader.GetInt64(0);
    }

    private async ValueTask AsOwnerAsync(string sql, params object[] values)
    {
        await using var command = postgres.Owner.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        await command.ExecuteNonQueryAsync();
    }

    private static NpgsqlBatchCommand Scope(OrganizationId organization) =>
        new("SELECT set_config('coordinator.organization', $1, true)") { Parameters = { new() { Value = organization.Value.ToString() } } };
}
