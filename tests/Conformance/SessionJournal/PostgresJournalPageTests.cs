using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Conformance.Postgres;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionJournal;

/// <summary>
/// A page of a session's records ends by their bytes or by their number. Small records, of which a page is full long before its bytes are, are written here
/// by the database itself: a session of some pages of them, the last one begun or just full.
/// </summary>
public sealed class PostgresJournalPageTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private const int Page = 2_000;

    /// <summary>Of each record, so that a sequence number is no version.</summary>
    private const int Events = 2;

    [Theory]
    [InlineData((2 * Page) + 100, 0)]
    [InlineData((2 * Page) + 100, 60)]
    [InlineData(2 * Page, 0)]
    public async Task Beyond_a_page_of_small_records_every_record_after_a_version_is_read_once_and_in_order(int records, int after)
    {
        await using var sessions = new PostgresSessions(postgres.ConnectionString);
        var key = await WriteAsync(sessions, records);

        Assert.Equal(From(after + 1, records), await VersionsAsync(sessions.Journal.ReadAsync(key, after, default)));
    }

    [Theory]
    [InlineData((2 * Page) + 100, 0, 1)]
    [InlineData((2 * Page) + 100, 60 * Events, 61)]
    [InlineData((2 * Page) + 100, (60 * Events) + 1, 61)] // in the middle of a record, which has a later event
    [InlineData(2 * Page, 0, 1)]
    public async Task Beyond_a_page_of_small_records_every_later_event_is_read_once_and_in_order(int records, long afterSeq, int first)
    {
        await using var sessions = new PostgresSessions(postgres.ConnectionString);
        var key = await WriteAsync(sessions, records);

        Assert.Equal(From(first, records), await VersionsAsync(sessions.Journal.ReadEventsAsync(key, afterSeq, default)));
    }

    private static IEnumerable<long> From(int first, int last) => Enumerable.Range(first, last - first + 1).Select(version => (long)version);

    private static async Task<List<long>> VersionsAsync(IAsyncEnumerable<JournalRecord> records)
    {
        List<long> versions = [];
        await foreach (var record in records)
        {
            Assert.Equal((record.Version - 1) * Events, record.FirstSeq - 1);
            versions.Add(record.Version);
        }

        return versions;
    }

    private static async Task<SessionKey> WriteAsync(PostgresSessions sessions, int records)
    {
        var key = new SessionKey(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        await using var command = sessions.Owner.CreateCommand($$"""
            WITH head AS (INSERT INTO session_head (org, session, epoch, version, seq) VALUES ($1, $2, 1, {{records}}, {{records * Events}}))
            INSERT INTO session_record (org, session, version, epoch, first_seq, last_seq, schema, codec, payload, at)
            SELECT $1, $2, v, 1, {{Events}} * (v - 1) + 1, {{Events}} * v, 1, 0, '{}', now() FROM generate_series(1, {{records}}) AS v
            """);
        command.Parameters.Add(new() { Value = key.Organization.Value });
        command.Parameters.Add(new() { Value = key.Session.Value });
        await command.ExecuteNonQueryAsync();
        return key;
    }
}
