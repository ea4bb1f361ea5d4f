using Coordinator.Ports;
using Coordinator.Ports.Record;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Feed;

/// <summary>
/// One publishing, in two round trips inside its caller's transaction: the topics are locked, always in the order of their
/// names, and what they know is read; then what is new to them is written with the watermarks that follow their heads.
/// </summary>
internal sealed class FeedPublication
{
    private const string MakeTopicsSql = "INSERT INTO feed_topic (org, topic) SELECT $1, name FROM unnest($2::text[]) AS name ORDER BY name COLLATE \"C\" ON CONFLICT DO NOTHING";
    private const string LockTopicsSql = "SELECT topic, head FROM feed_topic WHERE org = $1 AND topic = ANY ($2) ORDER BY topic FOR UPDATE";

    /// <summary>By key for each one, whatever the statistics of a table say that was just filled or is full of old versions.</summary>
    private const string KnownSql = """
        SELECT asked.topic, asked.doc_key, (SELECT doc_version FROM feed_document WHERE org = $1 AND topic = asked.topic AND doc_key = asked.doc_key)
        FROM unnest($2::text[], $3::text[]) AS asked (topic, doc_key)
        """;

    private const string WriteEntriesSql = """
        INSERT INTO feed_entry (org, topic, watermark, doc_key, doc_version, payload, payload_hash, at)
        SELECT $1, topic, watermark, doc_key, doc_version, payload, payload_hash, clock_timestamp()
        FROM unnest($2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bytea[], $7::bytea[]) AS entry (topic, watermark, doc_key, doc_version, payload, payload_hash)
        """;

    private const string WriteKnownSql = """
        INSERT INTO feed_document (org, topic, doc_key, doc_version)
        SELECT $1, topic, doc_key, doc_version FROM unnest($2::text[], $3::text[], $4::bigint[]) AS newest (topic, doc_key, doc_version)
        ON CONFLICT (org, topic, doc_key) DO UPDATE SET doc_version = excluded.doc_version
        """;

    private const string MoveHeadsSql = "UPDATE feed_topic SET head = moved.head FROM unnest($2::text[], $3::bigint[]) AS moved (topic, head) WHERE org = $1 AND feed_topic.topic = moved.topic";

    private readonly OrganizationId organization;
    private readonly Dictionary<string, long> heads;
    private readonly Dictionary<(string Topic, string Key), long> known;
    private readonly List<FeedEntry> entries = [];

    private FeedPublication(OrganizationId organization, Dictionary<string, long> heads, Dictionary<(string Topic, string Key), long> known) =>
        (this.organization, this.heads, this.known) = (organization, heads, known);

    /// <summary>The heads of all topics named, as they are once this is committed.</summary>
    public IReadOnlyDictionary<string, long> Heads => heads;

    /// <summary>Locks the topics and finds out which of the documents are new to them.</summary>
    public static async Task<FeedPublication> LockAsync(NpgsqlConnection connection, OrganizationId organization, IReadOnlyList<FeedDocument> documents, CancellationToken cancellationToken)
    {
        string[] topics = [.. documents.Select(document => document.Topic).Distinct()];
        var asked = documents.Select(document => (document.Topic, document.DocKey)).Distinct().ToArray();
        await using var batch = Batch(
            connection,
            TenantScope.Of(organization).Statement,
            new(MakeTopicsSql, organization.Value, topics),
            new(LockTopicsSql, organization.Value, topics),
            new(KnownSql, organization.Value, asked.Select(one => one.Topic).ToArray(), asked.Select(one => one.DocKey).ToArray()));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var (heads, known) = (new Dictionary<string, long>(StringComparer.Ordinal), new Dictionary<(string, string), long>());
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken)) heads.Add(reader.GetString(0), reader.GetInt64(1));
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken)) known.Add((reader.GetString(0), reader.GetString(1)), await reader.IsDBNullAsync(2, cancellationToken) ? 0 : reader.GetInt64(2));
        var publication = new FeedPublication(organization, heads, known);
        foreach (var document in documents) publication.Take(document);
        return publication;
    }

    /// <summary>Writes what is new; nothing when nothing is.</summary>
    public async Task WriteAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (entries.Count == 0) return;
        var documents = entries.ConvertAll(entry => entry.Document);
        var newest = documents.Select(document => (document.Topic, document.DocKey)).Distinct().ToArray();
        string[] moved = [.. documents.Select(document => document.Topic).Distinct()];
        await using var batch = Batch(
            connection,
            new(WriteEntriesSql, organization.Value, documents.Select(document => document.Topic).ToArray(), entries.Select(entry => entry.Watermark).ToArray(), documents.Select(document => document.DocKey).ToArray(), documents.Select(document => document.DocVersion).ToArray(), documents.Select(document => document.Payload?.ToArray()).ToArray(), documents.Select(document => Convert.FromHexString(document.PayloadHash)).ToArray()),
            new(WriteKnownSql, organization.Value, newest.Select(one => one.Topic).ToArray(), newest.Select(one => one.DocKey).ToArray(), newest.Select(one => known[one]).ToArray()),
            new(MoveHeadsSql, organization.Value, moved, moved.Select(topic => heads[topic]).ToArray()),
            new(FeedWakeUps.NotifySql, FeedWakeUps.NameOf(organization)));
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Gives the document the next watermark of its topic, unless the topic has been told of it or of a later version.</summary>
    private void Take(FeedDocument document)
    {
        var key = (document.Topic, document.DocKey);
        if (known.GetValueOrDefault(key) >= document.DocVersion) return;
        known[key] = document.DocVersion;
        entries.Add(new(++heads[document.Topic], document));
    }

    private static NpgsqlBatch Batch(NpgsqlConnection connection, params ReadOnlySpan<Statement> statements)
    {
        var batch = new NpgsqlBatch(connection);
        foreach (var statement in statements)
        {
            var command = new NpgsqlBatchCommand(statement.Sql);
            foreach (var value in statement.Parameters) command.Parameters.Add(new() { Value = value });
            batch.BatchCommands.Add(command);
        }

        return batch;
    }
}
