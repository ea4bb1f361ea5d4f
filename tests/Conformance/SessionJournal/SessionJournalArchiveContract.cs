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

        var lease = (await Journal.OpenAsync(key, NewHost(), create: false, default))!;
        Assert.False(await Journal.ArchiveAsync(seen, Archive(key, 1, 4), default));
        await Journal.ReleaseAsync(lease, default);
        Assert.False(await Journal.ArchiveAsync(seen, Archive(key, 1, 4), default));
        seen = (await Journal.FindHeadAsync(key, default))!;
        Assert.True(await Journal.CompactAsync(new(seen, 2, []), default));
        Assert.False(await Journal.ArchiveAsync(seen, Archive(key, 1, 4), default));
        Assert.All(await ReadAllAsync(key), record => Assert.NotNull(RecordEvents.Read(record)));
        Assert.Null(await Journal.FindArchiveAsync(key, 0, default));

        seen = (await Journal.FindHeadAsync(key, default))!;
        Assert.True(await Journal.ArchiveAsync(seen, Archive(key, 1, 4), default));
        Assert.False(await Journal.ArchiveAsync(seen, Archive(key, 1, 4), default));
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

        var failure = await Assert.ThrowsAsync<PortException>(async () => await Journal.ArchiveAsync(seen, Archive(key, first, last), default));

        Assert.Equal((PortFailureKind.Rejected, false), (failure.Kind, failure.EffectMayHaveHappened));
        Assert.All(await ReadAllAsync(key), record => Assert.NotNull(RecordEvents.Read(record)));
        Assert.Equal(0, (await Journal.FindHeadAsync(key, default))!.Archived);
        Assert.Null(await Journal.FindArchiveAsync(key, 0, default));
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
    private static EventArchive Archive(SessionKey key, long first, long last) => new(key, first, last, EventArchive.JsonLines, new('a', 64), 10, 20);

    private async Task<EventArchive> ArchiveAsync(SessionKey key, long first, long last)
    {
        var archive = Archive(key, first, last);
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

    private static string FactsOf(JournalRecord record)
    {
        using var payload = JsonDocument.Parse(record.Payload);
        return payload.RootElement.GetProperty("facts").GetRawText();
    }
}
