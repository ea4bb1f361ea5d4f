using Coordinator.Ports;
using Coordinator.Ports.Record;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Feed;

/// <summary>
/// The feed in PostgreSQL. Reads see a topic's bounds and its entries in one statement, so that a purge between the two
/// cannot make a gap look like an end.
/// </summary>
internal sealed class PostgresEventFeed(NpgsqlDataSource dataSource, TenantStatements statements, FeedWakeUps wakeUps, IOptions<DatabaseOptions> options, TimeProvider time) : IEventFeed
{
    private const string ReadSql = """
        SELECT topic.head, topic.floor, entry.watermark, entry.doc_key, entry.doc_version, entry.payload, entry.payload_hash
        FROM feed_topic topic LEFT JOIN LATERAL (
            SELECT * FROM feed_entry WHERE org = topic.org AND topic = topic.topic AND watermark > $3 ORDER BY watermark LIMIT $4) entry ON true
        WHERE topic.org = $1 AND topic.topic = $2
        ORDER BY entry.watermark
        """;

    private const string TopicsSql = "SELECT topic, head, floor FROM feed_topic WHERE org = $1 AND topic = ANY ($2)";

    private const string MoveFloorSql = "UPDATE feed_topic SET floor = greatest(floor, least($3, head)) WHERE org = $1 AND topic = $2 RETURNING head, floor";

    /// <summary>A statement of its own: what was published while the floor waited for its lock is below it, and must go too.</summary>
    private const string RemoveSql = "DELETE FROM feed_entry WHERE org = $1 AND topic = $2 AND watermark <= (SELECT floor FROM feed_topic WHERE org = $1 AND topic = $2)";

    /// <summary>A topic that somebody publishes to is left for the next time, so that nobody waits for anybody crosswise.</summary>
    private const string ExpireFloorsSql = """
        UPDATE feed_topic topic SET floor = greatest(topic.floor, old.through)
        FROM (
            SELECT held.org, held.topic, aged.through FROM (
                SELECT org, topic, max(watermark) AS through FROM (SELECT org, topic, watermark FROM feed_entry WHERE at <= clock_timestamp() - $1 ORDER BY at LIMIT 5000) oldest GROUP BY org, topic) aged
            JOIN feed_topic held ON held.org = aged.org AND held.topic = aged.topic
            FOR UPDATE OF held SKIP LOCKED) old
        WHERE topic.org = old.org AND topic.topic = old.topic
        """;

    private const string ExpireSql = """
        WITH gone AS (
            DELETE FROM feed_entry entry USING feed_topic topic
            WHERE entry.org = topic.org AND entry.topic = topic.topic AND entry.watermark <= topic.floor AND entry.at <= clock_timestamp() - $1 RETURNING 1)
        SELECT count(*) FROM gone
        """;

    public async ValueTask<IReadOnlyDictionary<string, long>> PublishAsync(OrganizationId organization, IReadOnlyList<FeedDocument> documents, CancellationToken cancellationToken)
    {
        FeedRules.Check(documents);
        if (documents.Count == 0) return new Dictionary<string, long>();
        var committing = false;
        try
        {
            await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            var publication = await FeedPublication.LockAsync(connection, organization, documents, cancellationToken);
            await publication.WriteAsync(connection, cancellationToken);
            committing = true;
            await transaction.CommitAsync(cancellationToken);
            return publication.Heads;
        }
        catch (Exception failure) when (RelationalFailure.Translate(failure, "publishing to topics", committing) is { } translated)
        {
            DatabaseFailure.LeaveIfReadOnly(dataSource, translated.InnerException);
            throw translated;
        }
    }

    public async ValueTask<Result<FeedPage>> ReadAsync(OrganizationId organization, string topic, long after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return await statements.ReadAsync(
            TenantScope.Of(organization),
            "reading a topic",
            [new(ReadSql, organization.Value, topic, after, limit)],
            (reader, ct) => PageAsync(reader, topic, after, ct),
            cancellationToken);
    }

    public async ValueTask<FeedTopic> FindTopicAsync(OrganizationId organization, string topic, CancellationToken cancellationToken) =>
        (await TopicsAsync(organization, [topic], cancellationToken)).GetValueOrDefault(topic) ?? new(0, 0);

    public async ValueTask WaitAsync(OrganizationId organization, IReadOnlyDictionary<string, long> watermarks, CancellationToken cancellationToken)
    {
        while (true)
        {
            // Listening comes before looking: what is committed after the look is heard.
            using var heard = wakeUps.Listen(organization);
            var topics = await TopicsAsync(organization, [.. watermarks.Keys], cancellationToken);
            if (watermarks.Any(known => (topics.GetValueOrDefault(known.Key)?.Head ?? 0) != known.Value)) return;
            await heard.WaitAsync(options.Value.Feed.PollInterval, time, cancellationToken);
        }
    }

    public async ValueTask<FeedTopic> PurgeAsync(OrganizationId organization, string topic, long through, CancellationToken cancellationToken) =>
        await statements.WriteAsync(
            TenantScope.Of(organization),
            "purging a topic",
            [new(MoveFloorSql, organization.Value, topic, through), new(RemoveSql, organization.Value, topic)],
            async (reader, ct) => await reader.ReadAsync(ct) ? new FeedTopic(reader.GetInt64(0), reader.GetInt64(1)) : new(0, 0),
            cancellationToken);

    public async ValueTask<int> ExpireAsync(TimeSpan age, CancellationToken cancellationToken) =>
        await statements.WriteAsync(
            TenantScope.System,
            "expiring topics",
            [new(ExpireFloorsSql, age), new(ExpireSql, age)],
            async (reader, ct) => await reader.ReadAsync(ct) ? (int)reader.GetInt64(0) : 0,
            cancellationToken);

    private async ValueTask<Dictionary<string, FeedTopic>> TopicsAsync(OrganizationId organization, string[] topics, CancellationToken cancellationToken) =>
        await statements.ReadAsync(
            TenantScope.Of(organization),
            "looking at topics",
            [new(TopicsSql, organization.Value, topics)],
            async (reader, ct) =>
            {
                var found = new Dictionary<string, FeedTopic>(StringComparer.Ordinal);
                while (await reader.ReadAsync(ct)) found.Add(reader.GetString(0), new(reader.GetInt64(1), reader.GetInt64(2)));
                return found;
            },
            cancellationToken);

    private static async Task<Result<FeedPage>> PageAsync(NpgsqlDataReader reader, string topic, long after, CancellationToken cancellationToken)
    {
        var stands = new FeedTopic(0, 0);
        var entries = new List<FeedEntry>();
        while (await reader.ReadAsync(cancellationToken))
        {
            stands = new(reader.GetInt64(0), reader.GetInt64(1));
            if (!await reader.IsDBNullAsync(2, cancellationToken)) entries.Add(Entry(reader, topic));
        }

        if (FeedProblems.StaleCursor(stands, after) is { } stale) return stale;
        if (entries.Where((entry, index) => entry.Watermark != after + index + 1 || !entry.Document.IsIntact).FirstOrDefault() is { } broken)
            throw new PortException(PortFailureKind.Corrupt, $"What the feed keeps at watermark {broken.Watermark} is not what was published there.");
        return new FeedPage(entries, stands.Head);
    }

    private static FeedEntry Entry(NpgsqlDataReader reader, string topic)
    {
        var payload = reader.IsDBNull(5) ? (ReadOnlyMemory<byte>?)null : reader.GetFieldValue<byte[]>(5);
        return new(reader.GetInt64(2), new(topic, reader.GetString(3), reader.GetInt64(4), payload, Convert.ToHexStringLower(reader.GetFieldValue<byte[]>(6))));
    }
}
