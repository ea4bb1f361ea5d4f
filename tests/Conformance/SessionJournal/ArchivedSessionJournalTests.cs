using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Adapters.Archive;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionJournal;

/// <summary>The journal that tells archived events too: everything else is as the one behind it has it.</summary>
public sealed class ArchivedSessionJournalTests : SessionJournalArchiveContract
{
    private readonly InMemorySessionJournal behind;
    private readonly InMemoryHostRegistry registry;
    private readonly InMemoryArtifactStore artifacts = new();

    public ArchivedSessionJournalTests()
    {
        var store = new InMemoryJournalStore(TimeProvider.System);
        (behind, registry) = (new(store), new(store));
        Journal = new ServiceCollection()
            .AddSingleton<ISessionJournal>(behind).AddSingleton<IArtifactStore>(artifacts).AddArchivedEvents()
            .BuildServiceProvider().GetRequiredService<ISessionJournal>();
    }

    protected override ISessionJournal Journal { get; }

    protected override async Task<HostId> LivingHostAsync() => (await registry.RegisterAsync(new(new("http://127.0.0.1:1/")), default)).Location.Id;

    protected override Task KillAsync(HostId host)
    {
        registry.Kill(host);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Archived_events_are_told_from_every_place_as_they_were_and_what_was_not_archived_behind_them()
    {
        var key = await OverAsync(7);
        var before = await CollectAsync(Journal.ReadEventsAsync(key, 0, default));
        await MoveAsync(key, records: 2);
        await MoveAsync(key, records: 3);

        for (var cursor = 0L; cursor <= 14; cursor++)
        {
            var expected = before.Where(record => record.LastSeq > cursor).Select(Told);
            Assert.Equal(expected, (await CollectAsync(Journal.ReadEventsAsync(key, cursor, default))).Select(Told));
        }
    }

    [Fact]
    public async Task An_event_that_covers_others_is_told_whole_though_an_archive_ends_among_them()
    {
        var key = NewKey();
        var lease = await CreateAsync(key);
        for (var seq = 1; seq <= 4; seq++)
            Assert.True(await AppendAsync(lease, seq - 1, events: 1, payload: $$$"""{"facts":[{{{seq}}}],"events":[{"cursor":"1.{{{seq}}}","seq":{{{seq}}},"at":"2026-01-02T03:04:05.678Z","type":"agent.text","messageId":"msg_1","data":{"part":"p","offset":{{{seq - 1}}},"text":"a"}}]}"""));
        await Journal.ReleaseAsync(lease, default);
        var merge = new RecordMerge([]);
        var merged = (await ReadAllAsync(key)).SelectMany(merge.Add).ToList();
        merged.AddRange(merge.Finish());
        Assert.True(await Journal.CompactAsync(new((await Journal.FindHeadAsync(key, default))!, 4, merged), default));
        var before = Told(Assert.Single(await CollectAsync(Journal.ReadEventsAsync(key, 0, default))));

        await MoveAsync(key, records: 1);

        for (var cursor = 0; cursor < 4; cursor++) Assert.Equal(before, Told(Assert.Single(await CollectAsync(Journal.ReadEventsAsync(key, cursor, default)))));
        Assert.Contains("\"aaaa\"", before.Events, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("another")]
    [InlineData("cut")]
    [InlineData("not packed")]
    [InlineData("longer than noted")]
    [InlineData("shorter than noted")]
    [InlineData("of other events")]
    [InlineData("not JSON")]
    [InlineData("in a format to come")]
    public async Task An_archive_that_is_not_what_was_stored_is_a_failure_and_nothing_of_it_is_told(string damage)
    {
        var key = await OverAsync(2);
        var (archive, blob) = await PackAsync(key, 2);
        var (noted, stored) = Damage(damage, archive, blob);
        if (stored is not null) await StoreAsync(key, stored);
        await Journal.AnnounceArchiveAsync(noted.Pending, default);
        Assert.True(await Journal.ArchiveAsync((await Journal.FindHeadAsync(key, default))!, noted, default));
        if (damage is "another" or "cut") artifacts.Damage(key.Organization, noted.Sha256, stored!);

        var told = new List<JournalRecord>();
        var failure = await Assert.ThrowsAsync<PortException>(async () =>
        {
            await foreach (var record in Journal.ReadEventsAsync(key, 0, default)) told.Add(record);
        });

        Assert.Equal(PortFailureKind.Corrupt, failure.Kind);
        Assert.Empty(told);
    }

    [Fact]
    public async Task An_artifact_store_that_is_down_is_a_failure_while_archived_events_are_read_and_no_other_time()
    {
        var key = await OverAsync(3);
        await MoveAsync(key, records: 2);
        artifacts.Faults.FailBefore();

        var failure = await Assert.ThrowsAsync<PortException>(async () => await CollectAsync(Journal.ReadEventsAsync(key, 0, default)));

        Assert.Equal(PortFailureKind.Unavailable, failure.Kind);
        Assert.Equal(3, Assert.Single(await CollectAsync(Journal.ReadEventsAsync(key, 4, default))).Version);
    }

    [Fact]
    public async Task Events_that_are_removed_while_they_are_read_are_a_failure_and_no_gap()
    {
        var key = await OverAsync(3);
        await MoveAsync(key, records: 1);

        await using var reading = Journal.ReadEventsAsync(key, 0, default).GetAsyncEnumerator();
        Assert.True(await reading.MoveNextAsync());
        await ExpireAllAsync(TimeSpan.FromMinutes(-1));

        Assert.Equal(PortFailureKind.Unavailable, (await Assert.ThrowsAsync<PortException>(async () => await reading.MoveNextAsync())).Kind);
        Assert.All(await CollectAsync(Journal.ReadEventsAsync(key, 0, default)), record => Assert.Null(RecordEvents.Read(record)));
    }

    [Fact]
    public async Task What_was_archived_behind_events_that_are_gone_is_not_taken_for_what_follows_on_an_earlier_place()
    {
        var key = await OverAsync(2);
        await ExpireAllAsync(TimeSpan.FromMinutes(-1));
        var lease = (await Journal.OpenAsync(key, NewHost(), create: false, default))!;
        Assert.True(await AppendAsync(lease, 2, events: 1, payload: """{"facts":[],"events":[{}]}"""));
        await Journal.ReleaseAsync(lease, default);
        await MoveAsync(key, records: 1);

        var first = (await CollectAsync(Journal.ReadEventsAsync(key, 0, default)))[0];

        Assert.Equal("cursor_invalid", Assert.Throws<PortException>(() => RecordEvents.ReadAfter(first, 0)).Told?.Code);
        Assert.Equal(5, RecordEvents.ReadAfter(Assert.Single(await CollectAsync(Journal.ReadEventsAsync(key, 4, default))), 4)!.LastSeq);
    }

    [Fact]
    public async Task No_two_writings_make_the_same_blob_though_the_records_are_the_same()
    {
        var key = await OverAsync(1);

        var (first, second) = (await PackAsync(key, 1), await PackAsync(key, 1));

        Assert.NotEqual(first.Archive.Sha256, second.Archive.Sha256);
        Assert.Equal(first.Archive, second.Archive with { Sha256 = first.Archive.Sha256, Size = first.Archive.Size });
    }

    /// <summary>What readers are told of a record.</summary>
    private static (long, long, long, short, short, DateTimeOffset, string Events) Told(JournalRecord record) =>
        (record.Version, record.FirstSeq, record.LastSeq, record.Schema, record.Codec, record.At, Encoding.UTF8.GetString(RecordEvents.Read(record)!.Utf8.Span));

    private static (EventArchive Noted, byte[]? Stored) Damage(string damage, EventArchive archive, byte[] blob) => damage switch
    {
        "missing" => (archive, null),
        "another" => (archive, [.. blob[..^1], (byte)(blob[^1] ^ 1)]),
        "cut" => (archive, blob[..^5]),
        "not packed" => Named(archive, "what is not gzip"u8.ToArray()),
        "longer than noted" => (archive with { RawSize = archive.RawSize - 1 }, blob),
        "shorter than noted" => (archive with { RawSize = archive.RawSize + 1 }, blob),
        "of other events" => Named(archive, Packed("{}\n{\"version\":1,\"firstSeq\":1,\"lastSeq\":3,\"events\":[{},{},{}]}\n")),
        "not JSON" => Named(archive, Packed("{}\n{\"version\":")),
        _ => (archive with { Format = 2 }, blob),
    };

    private static (EventArchive Noted, byte[] Stored) Named(EventArchive archive, byte[] blob)
    {
        using var unpacked = new MemoryStream();
        if (blob[0] == 0x1f)
        {
            using var gzip = new GZipStream(new MemoryStream(blob), CompressionMode.Decompress);
            gzip.CopyTo(unpacked);
        }

        return (archive with { Sha256 = Convert.ToHexStringLower(SHA256.HashData(blob)), Size = blob.Length, RawSize = Math.Max(unpacked.Length, 1) }, blob);
    }

    private static byte[] Packed(string text)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionMode.Compress)) gzip.Write(Encoding.UTF8.GetBytes(text));
        return packed.ToArray();
    }

    private async Task<(EventArchive Archive, byte[] Blob)> PackAsync(SessionKey key, int records)
    {
        var from = (await Journal.FindHeadAsync(key, default))!.Emptied;
        var writer = new ArchiveWriter(key, from + 1, PrefixedId.NewValue(TimeProvider.System));
        foreach (var record in (await CollectAsync(behind.ReadEventsAsync(key, from, default))).Take(records)) writer.Add(record);
        var (archive, blob) = writer.Finish();
        return (archive, blob.ToArray());
    }

    private async Task MoveAsync(SessionKey key, int records)
    {
        var (archive, blob) = await PackAsync(key, records);
        await Journal.AnnounceArchiveAsync(archive.Pending, default);
        await StoreAsync(key, blob);
        Assert.True(await Journal.ArchiveAsync((await Journal.FindHeadAsync(key, default))!, archive, default));
    }

    private async Task StoreAsync(SessionKey key, byte[] blob)
    {
        using var content = new MemoryStream(blob);
        Assert.True((await artifacts.PutAsync(key.Organization, Convert.ToHexStringLower(SHA256.HashData(blob)), content, long.MaxValue, default)).IsSuccess);
    }
}
