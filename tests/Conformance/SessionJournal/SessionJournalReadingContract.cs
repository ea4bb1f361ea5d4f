using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionJournal;

/// <summary>What every journal promises to those who read: records, lists, snapshots, and the wall between tenants.</summary>
public abstract class SessionJournalReadingContract : SessionJournalContract
{
    /// <summary>Longer than an index row may be.</summary>
    private static readonly string Widgets = $"https://git.example/{new string('w', 4_000)}/widgets";

    [Fact]
    public async Task Reading_after_a_version_starts_right_behind_it()
    {
        var key = await WrittenAsync(5);

        Assert.Equal([3L, 4L, 5L], (await ReadAllAsync(key, afterVersion: 2)).Select(record => record.Version));
        Assert.Empty(await ReadAllAsync(key, afterVersion: 5));
        Assert.Empty(await ReadAllAsync(key, afterVersion: 99));
    }

    [Fact]
    public async Task Reading_after_any_sequence_number_gives_exactly_the_records_with_later_events()
    {
        var key = NewKey();
        var lease = await CreateAsync(key);
        int[] counts = [1, 0, 3, 0, 0, 2, 1, 0, 4, 0];
        for (var version = 0; version < counts.Length; version++) await AppendAsync(lease, version, counts[version]);
        var all = await ReadAllAsync(key);

        for (var after = 0L; after <= counts.Sum() + 1; after++)
        {
            var expected = all.Where(record => record.LastSeq > after && record.LastSeq >= record.FirstSeq).Select(record => record.Version);
            Assert.Equal(expected, (await CollectAsync(Journal.ReadEventsAsync(key, after, default))).Select(record => record.Version));
        }
    }

    [Fact]
    public async Task A_long_session_is_read_to_its_end_in_order()
    {
        var key = await WrittenAsync(1_203);

        Assert.Equal(Enumerable.Range(1, 1_203).Select(version => (long)version), (await ReadAllAsync(key)).Select(record => record.Version));
        Assert.Equal(Enumerable.Range(701, 503).Select(version => (long)version), (await CollectAsync(Journal.ReadEventsAsync(key, 700, default))).Select(record => record.Version));
    }

    [Fact]
    public async Task Large_records_are_read_to_the_end_too()
    {
        var key = NewKey();
        var lease = await CreateAsync(key);
        int[] sizes = [10, 700_000, 700_000, 2_000_000, 5, 700_000];
        for (var version = 0; version < sizes.Length; version++) await AppendAsync(lease, version, events: 1, payload: new string('x', sizes[version]));

        Assert.Equal(sizes, (await ReadAllAsync(key)).Select(record => record.Payload.Length));
        Assert.Equal(sizes[3..], (await CollectAsync(Journal.ReadEventsAsync(key, 3, default))).Select(record => record.Payload.Length));
    }

    [Fact]
    public async Task Sessions_are_listed_newest_first_page_by_page()
    {
        var organization = OrganizationId.New(TimeProvider.System);
        List<SessionId> ids = [.. Enumerable.Range(0, 5).Select(i => SessionId.From(PrefixedId.Derive("listed", organization.ToString(), $"{i}")))];
        foreach (var id in ids) await AppendAsync(await CreateAsync(new(organization, id)), 0, events: 1, view: id.ToString());
        ids.Reverse();

        var first = await Journal.ListHeadsAsync(organization, null, 2, default);
        var second = await Journal.ListHeadsAsync(organization, first[^1].Key.Session, 2, default);
        var third = await Journal.ListHeadsAsync(organization, second[^1].Key.Session, 2, default);

        Assert.Equal(ids, first.Concat(second).Concat(third).Select(head => head.Key.Session));
        Assert.Empty(await Journal.ListHeadsAsync(organization, SessionId.New(TimeProvider.System), 2, default));
        Assert.All(first, head => Assert.Equal(head.Key.Session.ToString(), Encoding.UTF8.GetString(head.View.Span)));
    }

    [Fact]
    public async Task The_environment_of_a_repository_is_the_one_its_newest_session_that_has_discovered_one_discovered_last()
    {
        var organization = OrganizationId.New(TimeProvider.System);
        var (older, newer, ignorant) = (await BegunAsync(organization), await BegunAsync(organization), await BegunAsync(organization));
        Assert.Null(await Journal.FindEnvironmentAsync(organization, Widgets, default));

        await DiscoverAsync(newer, 1, Widgets, "{\"fileCount\":1}");
        await DiscoverAsync(newer, 2, Widgets, "{\"fileCount\":2}");
        await DiscoverAsync(older, 1, Widgets, "{\"fileCount\":3}");
        await AppendAsync(newer, 3, events: 1);
        await AppendAsync(ignorant, 1, events: 1);

        Assert.Equal("{\"fileCount\":2}", await Journal.FindEnvironmentAsync(organization, Widgets, default));
    }

    [Fact]
    public async Task Another_repository_and_another_organization_have_environments_of_their_own()
    {
        var (organization, stranger) = (OrganizationId.New(TimeProvider.System), OrganizationId.New(TimeProvider.System));
        await DiscoverAsync(await BegunAsync(organization), 1, Widgets, "{\"ours\":true}");
        await DiscoverAsync(await BegunAsync(organization), 1, Widgets + "-2", "{\"other\":true}");
        await DiscoverAsync(await BegunAsync(stranger), 1, Widgets + "-3", "{\"theirs\":true}");

        Assert.Equal("{\"ours\":true}", await Journal.FindEnvironmentAsync(organization, Widgets, default));
        Assert.Null(await Journal.FindEnvironmentAsync(stranger, Widgets, default));
        Assert.Null(await Journal.FindEnvironmentAsync(organization, Widgets + "-3", default));
    }

    [Fact]
    public async Task A_fenced_append_discovers_nothing()
    {
        var organization = OrganizationId.New(TimeProvider.System);
        var old = await BegunAsync(organization);
        await Journal.OpenAsync(old.Key, NewHost(), create: false, default);

        await DiscoverAsync(old, 1, Widgets, "{}", written: false);

        Assert.Null(await Journal.FindEnvironmentAsync(organization, Widgets, default));
    }

    [Fact]
    public async Task Another_organization_sees_nothing_of_a_session()
    {
        var key = await WrittenAsync(2);
        var lease = (await Journal.OpenAsync(key, NewHost(), create: false, default))!;
        await Journal.SaveSnapshotAsync(lease, new(1, 1, "shape", new byte[] { 1 }), default);
        var foreign = new SessionKey(OrganizationId.New(TimeProvider.System), key.Session);

        Assert.Null(await Journal.FindHeadAsync(foreign, default));
        Assert.Empty(await ReadAllAsync(foreign));
        Assert.Empty(await CollectAsync(Journal.ReadEventsAsync(foreign, 1, default)));
        Assert.Null(await Journal.FindSnapshotAsync(foreign, default));
        Assert.Empty(await Journal.ListHeadsAsync(foreign.Organization, null, 10, default));
        Assert.Null(await Journal.OpenAsync(foreign, NewHost(), create: false, default));
        Assert.False(await AppendAsync(lease with { Key = foreign }, 2, events: 1));
    }

    [Fact]
    public async Task The_newest_snapshot_is_kept_and_an_older_one_ignored()
    {
        var key = await WrittenAsync(3);
        var lease = (await Journal.OpenAsync(key, NewHost(), create: false, default))!;

        await Journal.SaveSnapshotAsync(lease, new(2, 2, "shape", new byte[] { 0, 2 }), default);
        await Journal.SaveSnapshotAsync(lease, new(1, 1, "shape", new byte[] { 0, 1 }), default);
        var kept = await Journal.FindSnapshotAsync(key, default);
        Assert.Equal((2L, 2L, "shape"), (kept!.Version, kept.Seq, kept.ShapeHash));
        Assert.Equal([0, 2], kept.State.ToArray());

        await Journal.SaveSnapshotAsync(lease, new(2, 2, "other shape", new byte[] { 9 }), default);
        Assert.Equal("other shape", (await Journal.FindSnapshotAsync(key, default))!.ShapeHash);
    }

    [Fact]
    public async Task A_snapshot_above_the_head_is_refused()
    {
        var key = await WrittenAsync(1);
        var lease = (await Journal.OpenAsync(key, NewHost(), create: false, default))!;

        var failure = await Assert.ThrowsAsync<PortException>(async () => await Journal.SaveSnapshotAsync(lease, new(2, 2, "shape", default), default));

        Assert.Equal(PortFailureKind.Rejected, failure.Kind);
        Assert.Null(await Journal.FindSnapshotAsync(key, default));
    }

    [Fact]
    public async Task A_fenced_lease_saves_no_snapshot()
    {
        var key = await WrittenAsync(1);
        var old = (await Journal.OpenAsync(key, NewHost(), create: false, default))!;
        await Journal.OpenAsync(key, NewHost(), create: false, default);

        var failure = await Assert.ThrowsAsync<PortException>(async () => await Journal.SaveSnapshotAsync(old, new(1, 1, "shape", default), default));

        Assert.Equal(PortFailureKind.Fenced, failure.Kind);
        Assert.Null(await Journal.FindSnapshotAsync(key, default));
    }

    /// <summary>A session with its first record.</summary>
    private async Task<JournalLease> BegunAsync(OrganizationId organization)
    {
        var lease = await CreateAsync(new(organization, SessionId.New(TimeProvider.System)));
        Assert.True(await AppendAsync(lease, 0, events: 1));
        return lease;
    }

    private async Task DiscoverAsync(JournalLease lease, long version, string repository, string json, bool written = true)
    {
        var append = new JournalAppend(version, Encoding.UTF8.GetBytes("{}"), 0, DateTimeOffset.UnixEpoch, null, null) { Environment = new(repository, json) };
        Assert.Equal(written, await Journal.AppendAsync(lease, append, default));
    }

    /// <summary>A session of <paramref name="records"/> records of one event each.</summary>
    private async Task<SessionKey> WrittenAsync(int records)
    {
        var key = NewKey();
        var lease = await CreateAsync(key);
        for (var version = 0; version < records; version++) Assert.True(await AppendAsync(lease, version, events: 1));
        return key;
    }
}
