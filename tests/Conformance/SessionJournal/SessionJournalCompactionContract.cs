using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionJournal;

/// <summary>What every journal promises of records that are written anew in another way that says the same.</summary>
public abstract class SessionJournalCompactionContract : SessionJournalRetentionContract
{
    /// <summary>So short that whatever was written is older.</summary>
    private static readonly TimeSpan Any = TimeSpan.FromMinutes(-1);

    [Fact]
    public async Task Merged_events_are_told_by_the_record_of_the_last_and_everything_else_is_as_it_was()
    {
        var key = await SaidAsync("Hel", "lo ", "you");
        var before = await ReadAllAsync(key);

        Assert.True(await CompactAsync(key));

        var (after, head) = (await ReadAllAsync(key), (await Journal.FindHeadAsync(key, default))!);
        Assert.Equal(before.Select(record => (record.Version, record.FirstSeq, record.LastSeq, record.Schema, record.At)), after.Select(record => (record.Version, record.FirstSeq, record.LastSeq, record.Schema, record.At)));
        Assert.Equal([RecordEvents.CoveredCodec, RecordEvents.CoveredCodec, RecordEvents.MergedCodec], after.Select(record => record.Codec));
        Assert.Equal((3L, 3L, 3L, 0L), (head.Version, head.Seq, head.Compacted, head.Floor));
        for (var cursor = 0; cursor < 3; cursor++)
        {
            var told = RecordEvents.Read(Assert.Single(await CollectAsync(Journal.ReadEventsAsync(key, cursor, default))))!;
            Assert.Equal((1L, 3L), (told.FirstSeq, told.LastSeq));
            Assert.Contains("\"Hello you\"", Encoding.UTF8.GetString(told.Utf8.Span), StringComparison.Ordinal);
        }

        Assert.Empty(await CollectAsync(Journal.ReadEventsAsync(key, 3, default)));
    }

    [Fact]
    public async Task A_session_is_listed_until_it_was_gone_through_and_again_once_it_went_on()
    {
        var key = await SaidAsync("a", "b");
        Assert.Contains(key, await UncompactedAsync(Any));
        Assert.DoesNotContain(key, await UncompactedAsync(TimeSpan.FromHours(1)));

        Assert.True(await CompactAsync(key));
        Assert.DoesNotContain(key, await UncompactedAsync(Any));

        var lease = (await Journal.OpenAsync(key, NewHost(), create: false, default))!;
        Assert.True(await AppendAsync(lease, 2, events: 1, payload: Said(3, 2, "c")));
        Assert.DoesNotContain(key, await UncompactedAsync(Any));
        await Journal.ReleaseAsync(lease, default);
        Assert.Contains(key, await UncompactedAsync(Any));
        Assert.True(await CompactAsync(key));
        Assert.Equal(2, (await CollectAsync(Journal.ReadEventsAsync(key, 0, default))).Count);
    }

    [Fact]
    public async Task A_session_that_waits_for_something_or_has_no_events_or_none_any_more_is_not_listed()
    {
        var waiting = NewKey();
        var lease = await CreateAsync(waiting);
        Assert.True(await AppendAsync(lease, 0, events: 1, payload: Said(1, 0, "a"), wakeAt: DateTimeOffset.UnixEpoch.AddYears(200)));
        await Journal.ReleaseAsync(lease, default);
        var silent = NewKey();
        lease = await CreateAsync(silent);
        Assert.True(await AppendAsync(lease, 0, events: 0, payload: """{"facts":[],"events":[]}"""));
        await Journal.ReleaseAsync(lease, default);
        var emptied = await SaidAsync("a");
        await ExpireAllAsync(Any);

        Assert.Empty(new[] { waiting, silent, emptied }.Intersect(await UncompactedAsync(Any)));
    }

    [Fact]
    public async Task What_was_worked_out_from_a_head_that_is_not_the_present_one_is_not_written()
    {
        var key = await SaidAsync("a", "b");
        var seen = (await Journal.FindHeadAsync(key, default))!;
        var records = await MergedAsync(key, 0);

        var lease = (await Journal.OpenAsync(key, NewHost(), create: false, default))!;
        Assert.False(await Journal.CompactAsync(new(seen, 2, records), default));
        await Journal.ReleaseAsync(lease, default);
        Assert.False(await Journal.CompactAsync(new(seen, 2, records), default));
        Assert.All(await ReadAllAsync(key), record => Assert.Equal(RecordEvents.JsonCodec, record.Codec));

        seen = (await Journal.FindHeadAsync(key, default))!;
        Assert.True(await Journal.CompactAsync(new(seen, 2, records), default));
        Assert.False(await Journal.CompactAsync(new(seen, 2, records), default));
    }

    [Fact]
    public async Task What_is_gone_does_not_come_back_with_what_was_read_before()
    {
        var key = await SaidAsync("a", "b");
        var seen = (await Journal.FindHeadAsync(key, default))!;
        var records = await MergedAsync(key, 0);
        await ExpireAllAsync(Any);

        Assert.False(await Journal.CompactAsync(new(seen, 2, records), default));
        Assert.All(await ReadAllAsync(key), record => Assert.Null(RecordEvents.Read(record)));
    }

    [Fact]
    public async Task Merged_events_are_removed_as_others_are()
    {
        var key = await SaidAsync("a", "b", "c");
        Assert.True(await CompactAsync(key));

        await ExpireAllAsync(Any);

        Assert.Equal(3, (await Journal.FindHeadAsync(key, default))!.Floor);
        Assert.All(await ReadAllAsync(key), record => Assert.Null(RecordEvents.Read(record)));
    }

    /// <summary>A session of one record for each piece, which nobody has open any more.</summary>
    private async Task<SessionKey> SaidAsync(params string[] pieces)
    {
        var key = NewKey();
        var lease = await CreateAsync(key);
        for (var i = 0; i < pieces.Length; i++) Assert.True(await AppendAsync(lease, i, events: 1, payload: Said(i + 1, pieces.Take(i).Sum(piece => piece.Length), pieces[i])));
        await Journal.ReleaseAsync(lease, default);
        return key;
    }

    private static string Said(long seq, int offset, string text) =>
        $$$"""{"facts":[{"text":"é \u0000 😀","number":1.50}],"events":[{"cursor":"1.{{{seq}}}","seq":{{{seq}}},"at":"2026-01-02T03:04:05.678Z","type":"agent.text","messageId":"msg_1","data":{"part":"p","offset":{{{offset}}},"text":"{{{text}}}"}}]}""";

    private async Task<bool> CompactAsync(SessionKey key)
    {
        var seen = (await Journal.FindHeadAsync(key, default))!;
        return await Journal.CompactAsync(new(seen, seen.Version, await MergedAsync(key, seen.Compacted)), default);
    }

    private async Task<List<JournalRecord>> MergedAsync(SessionKey key, long afterVersion)
    {
        var merge = new RecordMerge([]);
        var records = new List<JournalRecord>();
        foreach (var record in await ReadAllAsync(key, afterVersion)) records.AddRange(merge.Add(record));
        records.AddRange(merge.Finish());
        return records;
    }

    /// <summary>All of them, a few at a time.</summary>
    private async Task<List<SessionKey>> UncompactedAsync(TimeSpan age)
    {
        var all = new List<SessionKey>();
        while (await Journal.ListUncompactedAsync(age, all.LastOrDefault(), 3, default) is { Count: > 0 } some) all.AddRange(some);
        return all;
    }
}
