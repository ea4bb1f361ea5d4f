using System.Security.Cryptography;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionJournal;

/// <summary>What every journal promises of events that stand in archives and not in its records.</summary>
public abstract class SessionJournalArchiveContract : SessionJournalCompactionContract
{
    /// <summary>So short that whatever was written is older.</summary>
    private static readonly TimeSpan Any = TimeSpan.FromMinutes(-1);

    [Fact]
    public async Task Archived_events_leave_their_records_and_the_journal_knows_where_they_went()
    {
        var key = await OverAsync(3);
        var before = await ReadAllAsync(key);
        Assert.Contains(key, await UnarchivedAsync(Any));
        Assert.DoesNotContain(key, await UnarchivedAsync(TimeSpan.FromHours(1)));

        var archive = await ArchiveAsync(key, 1, 6);

        var (head, after) = ((await Journal.FindHeadAsync(key, default))!, await ReadAllAsync(key));
        Assert.Equal((3L, 6L, 0L, 6L), (head.Version, head.Seq, head.Floor, head.Archived));
        Assert.Equal(before.Select(record => (record.Version, record.FirstSeq, record.LastSeq, record.Schema, record.Codec, record.At)), after.Select(record => (record.Version, record.FirstSeq, record.LastSeq, record.Schema, record.Codec, record.At)));
        Assert.Equal(before.Select(FactsOf), after.Select(FactsOf));
        Assert.All(after, record => Assert.True(RecordEvents.AreGone(record)));
        foreach (var cursor in new[] { 0, 1, 5 }) Assert.Equal(archive, await Journal.FindArchiveAsync(key, cursor, default));
        Assert.Null(await Journal.FindArchiveAsync(key, 6, default));
        Assert.DoesNotContain(key, await UnarchivedAsync(Any));
        Assert.DoesNotContain(archive, await Journal.ListGoneArchivesAsync(null, 10_000, default));
    }

    [Fact]
    public async Task A_long_session_is_archived_in_parts_and_one_that_goes_on_is_again()
    {
        var key = await OverAsync(3);
        var first = await ArchiveAsync(key, 1, 2);
        Assert.Contains(key, await UnarchivedAsync(Any));
        Assert.Equal([true, false, false], (await ReadAllAsync(key)).Select(RecordEvents.AreGone));
        var second = await ArchiveAsync(key, 3, 6);

        var lease = (await Journal.OpenAsync(key, NewHost(), create: false, default))!;
        Assert.True(await AppendAsync(lease, 3, events: 1, payload: """{"facts":[],"events":[{}]}"""));
        Assert.Equal(4, Assert.Single(await CollectAsync(Journal.ReadEventsAsync(key, 6, default))).Version);
        Assert.DoesNotContain(key, await UnarchivedAsync(Any));
        await Journal.ReleaseAsync(lease, default);
        Assert.Contains(key, await UnarchivedAsync(Any));
        var third = await ArchiveAsync(key, 7, 7);

        var told = new List<EventArchive>();
        while (await Journal.FindArchiveAsync(key, told.LastOrDefault()?.LastSeq ?? 0, default) is { } next) told.Add(next);
        Assert.Equal([first, second, third], told);
    }

    [Fact]
    public async Task A_session_that_is_open_or_waits_or_has_no_events_or_none_any_more_is_not_listed_to_be_archived()
    {
        var gone = await OverAsync(1);
        await ExpireAllAsync(Any);
        var open = await OverAsync(1);
        var waiting = NewKey();
        var lease = await CreateAsync(waiting);
        Assert.True(await AppendAsync(lease, 0, events: 1, payload: """{"facts":[],"events":[{}]}""", wakeAt: DateTimeOffset.UnixEpoch.AddYears(200)));
        await Journal.ReleaseAsync(lease, default);
        var silent = NewKey();
        lease = await CreateAsync(silent);
        Assert.True(await AppendAsync(lease, 0, events: 0, payload: """{"facts":[],"events":[]}"""));
        await Journal.ReleaseAsync(lease, default);
        Assert.NotNull(await Journal.OpenAsync(open, NewHost(), create: false, default));

        Assert.Empty(new[] { gone, open, waiting, silent }.Intersect(await UnarchivedAsync(Any)));
    }

    [Fact]
    public async Task What_was_read_from_a_head_that_is_not_the_present_one_is_not_archived()
    {
        var key = await OverAsync(2);
        var seen = (await Journal.FindHeadAsync(key, default))!;
        var archive = await AnnounceAsync(Archive(key, 1, 4));

        var lease = (await Journal.OpenAsync(key, NewHost(), create: false, default))!;
        Assert.False(await Journal.ArchiveAsync(seen, archive, default));
        await Journal.ReleaseAsync(lease, default);
        Assert.False(await Journal.ArchiveAsync(seen, archive, default));
        seen = (await Journal.FindHeadAsync(key, default))!;
        Assert.True(await Journal.CompactAsync(new(seen, 2, []), default));
        Assert.False(await Journal.ArchiveAsync(seen, archive, default));
        Assert.All(await ReadAllAsync(key), record => Assert.NotNull(RecordEvents.Read(record)));
        Assert.Null(await Journal.FindArchiveAsync(key, 0, default));

        seen = (await Journal.FindHeadAsync(key, default))!;
        var other = await AnnounceAsync(Archive(key, 1, 4));
        Assert.True(await Journal.ArchiveAsync(seen, archive, default));
        Assert.False(await Journal.ArchiveAsync(seen, archive, default));
        Assert.False(await Journal.ArchiveAsync(seen, other, default));
        Assert.False(await Journal.CompactAsync(new(seen, 2, []), default));
    }

    [Theory]
    [InlineData(2, 4)]
    [InlineData(1, 3)]
    [InlineData(1, 9)]
    public async Task An_archive_that_does_not_begin_and_end_where_records_do_is_refused_and_nothing_is_done(long first, long last)
    {
        var key = await OverAsync(2);
        var seen = (await Journal.FindHeadAsync(key, default))!;
        var archive = await AnnounceAsync(Archive(key, first, last));

        var failure = await Assert.ThrowsAsync<PortException>(async () => await Journal.ArchiveAsync(seen, archive, default));

        Assert.Equal((PortFailureKind.Rejected, false), (failure.Kind, failure.EffectMayHaveHappened));
        Assert.All(await ReadAllAsync(key), record => Assert.NotNull(RecordEvents.Read(record)));
        Assert.Equal(0, (await Journal.FindHeadAsync(key, default))!.Archived);
        Assert.Null(await Journal.FindArchiveAsync(key, 0, default));
        Assert.Equal([archive.Pending], await GivenUpAsync(key));
    }

    [Fact]
    public async Task A_blob_is_pending_from_its_announcement_until_it_is_an_archive_or_forgotten_and_is_given_up_only_when_it_is_old()
    {
        var key = await OverAsync(2);
        var (first, second) = (await AnnounceAsync(Archive(key, 1, 4)), await AnnounceAsync(Archive(key, 1, 4)));
        await AnnounceAsync(second);
        Assert.Empty(await GivenUpAsync(key, TimeSpan.FromHours(1)));

        Assert.True(await Journal.ArchiveAsync((await Journal.FindHeadAsync(key, default))!, first, default));

        Assert.Equal([second.Pending], await GivenUpAsync(key));
        Assert.Equal([second.Pending], await GivenUpAsync(key, TimeSpan.FromHours(1)));
        for (var i = 0; i < 2; i++) await Journal.ForgetPendingArchiveAsync(second.Pending, default);
        Assert.Empty(await GivenUpAsync(key));
        Assert.Equal(first, await Journal.FindArchiveAsync(key, 0, default));
    }

    [Fact]
    public async Task A_blob_that_was_not_announced_or_was_given_up_becomes_no_archive_though_the_session_is_as_it_was_read()
    {
        var key = await OverAsync(2);
        var before = await ReadAllAsync(key);
        var seen = (await Journal.FindHeadAsync(key, default))!;
        var (unknown, given, forgotten) = (Archive(key, 1, 4), await AnnounceAsync(Archive(key, 1, 4)), await AnnounceAsync(Archive(key, 1, 4)));
        Assert.Equal(2, (await GivenUpAsync(key)).Count);
        await Journal.ForgetPendingArchiveAsync(forgotten.Pending, default);
        await AnnounceAsync(given);

        foreach (var archive in new[] { unknown, given, forgotten, given with { Sha256 = unknown.Sha256 } }) Assert.False(await Journal.ArchiveAsync(seen, archive, default));

        Assert.Equal(before.Select(FactsOf), (await ReadAllAsync(key)).Select(FactsOf));
        Assert.All(await ReadAllAsync(key), record => Assert.NotNull(RecordEvents.Read(record)));
        Assert.Null(await Journal.FindArchiveAsync(key, 0, default));
        Assert.True(await Journal.ArchiveAsync(seen, await AnnounceAsync(Archive(key, 1, 4)), default));
    }

    [Fact]
    public async Task Who_gives_blobs_up_is_told_of_them_a_part_at_a_time_and_never_of_one_that_an_archive_names()
    {
        var (one, other) = (await OverAsync(1), await OverAsync(1));
        var announced = new List<PendingArchive>();
        foreach (var key in new[] { one, other, one, other, one }) announced.Add((await AnnounceAsync(Archive(key, 1, 2))).Pending);
        var archive = await ArchiveAsync(one, 1, 2);
        await AnnounceAsync(archive);

        List<PendingArchive> told = [.. await GivenUpAsync(one), .. await GivenUpAsync(other)];

        Assert.Equal(announced.Count, told.Count);
        Assert.Equal(announced.ToHashSet(), told.ToHashSet());
        Assert.Equal(archive, await Journal.FindArchiveAsync(one, 0, default));
    }

    [Fact]
    public async Task Archived_events_expire_as_others_do_and_their_archives_are_forgotten_only_then()
    {
        var key = await OverAsync(3);
        var archives = new[] { await ArchiveAsync(key, 1, 2), await ArchiveAsync(key, 3, 4) };
        var other = await OverAsync(1);
        var lease = (await Journal.OpenAsync(other, NewHost(), create: false, default))!;
        await Journal.ReleaseAsync(lease, default);
        await Journal.ForgetArchiveAsync(archives[0], default);
        Assert.Equal(archives[0], await Journal.FindArchiveAsync(key, 0, default));

        await ExpireAllAsync(Any);

        Assert.Equal(6, (await Journal.FindHeadAsync(key, default))!.Floor);
        Assert.All(await ReadAllAsync(key), record => Assert.True(RecordEvents.AreGone(record)));
        Assert.Null(await Journal.FindArchiveAsync(key, 0, default));
        Assert.Equal(archives, (await Journal.ListGoneArchivesAsync(null, 10_000, default)).Where(archive => archive.Key == key));
        Assert.Equal([archives[1]], (await Journal.ListGoneArchivesAsync(archives[0], 10_000, default)).Where(archive => archive.Key == key));
        Assert.Equal([archives[1]], await Journal.ListGoneArchivesAsync(archives[0], 1, default));
        foreach (var archive in archives.Concat(archives)) await Journal.ForgetArchiveAsync(archive, default);
        Assert.DoesNotContain(await Journal.ListGoneArchivesAsync(null, 10_000, default), archive => archive.Key == key);
    }

    [Fact]
    public async Task What_is_archived_is_merged_no_more_and_is_another_tenants_no_more_than_the_session_is()
    {
        var key = await OverAsync(1);
        Assert.Contains(key, await Journal.ListUncompactedAsync(Any, default, 10_000, default));

        await ArchiveAsync(key, 1, 2);

        Assert.DoesNotContain(key, await Journal.ListUncompactedAsync(Any, default, 10_000, default));
        Assert.Null(await Journal.FindArchiveAsync(key with { Organization = NewKey().Organization }, 0, default));
    }

    /// <summary>What the journal is told of; whether the blob is there is not its matter.</summary>
    private static EventArchive Archive(SessionKey key, long first, long last) => new(key, first, last, EventArchive.JsonLines, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)), 10, 20);

    private async Task<EventArchive> AnnounceAsync(EventArchive archive)
    {
        await Journal.AnnounceArchiveAsync(archive.Pending, default);
        return archive;
    }

    private async Task<EventArchive> ArchiveAsync(SessionKey key, long first, long last)
    {
        var archive = await AnnounceAsync(Archive(key, first, last));
        Assert.True(await Journal.ArchiveAsync((await Journal.FindHeadAsync(key, default))!, archive, default));
        return archive;
    }

    [Fact]
    public async Task What_a_host_had_open_at_rest_when_it_died_is_listed_and_nobody_has_it_open_any_more()
    {
        var (dead, living) = (await LivingHostAsync(), await LivingHostAsync());
        var (left, kept, waiting) = (await LeftOpenAsync(dead), await LeftOpenAsync(living), await LeftOpenAsync(dead, DateTimeOffset.UnixEpoch.AddYears(200)));
        var merged = await LeftOpenAsync(dead);
        await KillAsync(dead);
        await CreateAsync(NewKey());

        Assert.Contains(left.Key, await UnarchivedAsync(Any));
        Assert.Contains(merged.Key, await Journal.ListUncompactedAsync(Any, default, 1_000, default));

        Assert.Equal(default(HostId?), (await Journal.FindHeadAsync(left.Key, default))!.Host);
        Assert.Equal(default(HostId?), (await Journal.FindHeadAsync(merged.Key, default))!.Host);
        Assert.Equal(living, (await Journal.FindHeadAsync(kept.Key, default))!.Host);
        Assert.DoesNotContain(waiting.Key, await UnarchivedAsync(Any));
        Assert.DoesNotContain(kept.Key, await UnarchivedAsync(Any));
    }

    private async Task<List<SessionKey>> UnarchivedAsync(TimeSpan age)
    {
        var all = new List<SessionKey>();
        while (await Journal.ListUnarchivedAsync(age, all.LastOrDefault(), 3, default) is { Count: > 0 } some) all.AddRange(some);
        return all;
    }

    /// <summary>What of a session's is given up, two at a time.</summary>
    private async Task<List<PendingArchive>> GivenUpAsync(SessionKey key, TimeSpan? age = null)
    {
        var all = new List<PendingArchive>();
        while (await Journal.GiveUpArchivesAsync(age ?? Any, all.LastOrDefault(), 2, default) is { Count: > 0 } some) all.AddRange(some);
        return all.FindAll(pending => pending.Key == key);
    }

    private static string FactsOf(JournalRecord record)
    {
        using var payload = JsonDocument.Parse(record.Payload);
        return payload.RootElement.GetProperty("facts").GetRawText();
    }
}
