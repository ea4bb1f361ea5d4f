using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionJournal;

/// <summary>What every journal promises about ownership, appends and heads.</summary>
public abstract class SessionJournalContract
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);

    /// <summary>The journal under test; many tests share its store, so each makes its own sessions.</summary>
    protected abstract ISessionJournal Journal { get; }

    [Fact]
    public async Task A_session_that_is_not_there_is_not_opened()
    {
        var key = NewKey();

        Assert.Null(await Journal.OpenAsync(key, NewHost(), create: false, default));
        Assert.Null(await Journal.FindHeadAsync(key, default));
        Assert.Empty(await ReadAllAsync(key));
        Assert.Null(await Journal.FindSnapshotAsync(key, default));
    }

    [Fact]
    public async Task A_session_that_was_opened_and_never_written_is_not_there()
    {
        var key = NewKey();
        await CreateAsync(key);

        Assert.Null(await Journal.OpenAsync(key, NewHost(), create: false, default));
        Assert.Null(await Journal.FindHeadAsync(key, default));
        Assert.Empty(await Journal.ListHeadsAsync(key.Organization, null, 10, default));
        Assert.Equal(0, (await CreateAsync(key)).Version);
    }

    [Fact]
    public async Task Records_and_events_are_numbered_without_gaps()
    {
        var key = NewKey();
        var lease = await CreateAsync(key);

        Assert.True(await AppendAsync(lease, 0, events: 2));
        Assert.True(await AppendAsync(lease, 1, events: 0));
        Assert.True(await AppendAsync(lease, 2, events: 3));

        Assert.Equal([(1L, 1L, 2L), (2L, 3L, 2L), (3L, 3L, 5L)], (await ReadAllAsync(key)).Select(record => (record.Version, record.FirstSeq, record.LastSeq)));
        var head = await Journal.FindHeadAsync(key, default);
        Assert.Equal((3L, 5L, lease.Epoch, (HostId?)lease.Host), (head!.Version, head.Seq, head.Epoch, head.Host));
    }

    [Fact]
    public async Task A_record_comes_back_as_it_was_written_NUL_bytes_included()
    {
        var key = NewKey();
        var lease = await CreateAsync(key);
        byte[] payload = [0, 1, 0, 255, (byte)'\\', (byte)'0', 0xC3, 0x28, 0];
        var at = new DateTimeOffset(2026, 3, 4, 14, 30, 0, 123, TimeSpan.FromHours(2));

        await Journal.AppendAsync(lease, new(0, payload, 1, at, null, null), default);

        var record = Assert.Single(await ReadAllAsync(key));
        Assert.Equal(payload, record.Payload.ToArray());
        Assert.Equal(at.UtcTicks, record.At.UtcTicks);
        Assert.Equal((JournalRecord.CurrentSchema, (short)0), (record.Schema, record.Codec));
    }

    [Fact]
    public async Task An_empty_payload_is_a_record_too()
    {
        var key = NewKey();

        Assert.True(await Journal.AppendAsync(await CreateAsync(key), new(0, default, 0, Noon, null, null), default));

        Assert.True(Assert.Single(await ReadAllAsync(key)).Payload.IsEmpty);
    }

    [Fact]
    public async Task A_stale_append_writes_nothing_at_all()
    {
        var key = NewKey();
        var lease = await CreateAsync(key);
        await AppendAsync(lease, 0, events: 1, view: "one", wakeAt: Noon);

        Assert.False(await AppendAsync(lease, 0, events: 5, view: "two", wakeAt: Noon.AddHours(1)));
        Assert.False(await AppendAsync(lease, 7, events: 5, view: "two"));

        Assert.Single(await ReadAllAsync(key));
        var head = await Journal.FindHeadAsync(key, default);
        Assert.Equal((1L, 1L, "one", (DateTimeOffset?)Noon), (head!.Version, head.Seq, Encoding.UTF8.GetString(head.View.Span), head.WakeAt));
    }

    [Fact]
    public async Task Of_two_appends_at_one_version_exactly_one_is_written()
    {
        var key = NewKey();
        var lease = await CreateAsync(key);

        var written = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => AppendAsync(lease, 0, events: 1)));

        Assert.Single(written, true);
        Assert.Single(await ReadAllAsync(key));
    }

    [Fact]
    public async Task A_newer_lease_fences_the_older_one_of_the_same_host_too()
    {
        var key = NewKey();
        var first = await CreateAsync(key);
        await AppendAsync(first, 0, events: 2);

        var second = await Journal.OpenAsync(key, first.Host, create: false, default);

        Assert.True(second!.Epoch > first.Epoch);
        Assert.Equal((1L, 2L, first.Incarnation), (second.Version, second.Seq, second.Incarnation));
        Assert.False(await AppendAsync(first, 1, events: 1));
        Assert.True(await AppendAsync(second, 1, events: 1));
    }

    [Fact]
    public async Task A_released_lease_is_fenced_and_the_head_has_no_host()
    {
        var key = NewKey();
        var lease = await CreateAsync(key);
        await AppendAsync(lease, 0, events: 1);

        await Journal.ReleaseAsync(lease, default);
        await Journal.ReleaseAsync(lease, default);

        Assert.Null((await Journal.FindHeadAsync(key, default))!.Host);
        Assert.False(await AppendAsync(lease, 1, events: 1));
    }

    [Fact]
    public async Task The_release_of_an_old_lease_leaves_the_new_owner_alone()
    {
        var key = NewKey();
        var old = await CreateAsync(key);
        await AppendAsync(old, 0, events: 1);
        var owner = await Journal.OpenAsync(key, NewHost(), create: false, default);

        await Journal.ReleaseAsync(old, default);

        Assert.Equal(owner!.Host, (await Journal.FindHeadAsync(key, default))!.Host);
        Assert.True(await AppendAsync(owner, 1, events: 1));
    }

    [Fact]
    public async Task The_view_stays_until_an_append_brings_another()
    {
        var key = NewKey();
        var lease = await CreateAsync(key);

        await AppendAsync(lease, 0, events: 1, view: "first");
        await AppendAsync(lease, 1, events: 1);
        Assert.Equal("first", Encoding.UTF8.GetString((await Journal.FindHeadAsync(key, default))!.View.Span));

        await AppendAsync(lease, 2, events: 1, view: new string('x', 20_000));
        Assert.Equal(20_000, (await Journal.FindHeadAsync(key, default))!.View.Length);
    }

    [Fact]
    public async Task Every_append_says_when_the_session_wakes()
    {
        var key = NewKey();
        var lease = await CreateAsync(key);

        await AppendAsync(lease, 0, events: 1, wakeAt: Noon.ToOffset(TimeSpan.FromHours(-5)));
        Assert.Equal(Noon, (await Journal.FindHeadAsync(key, default))!.WakeAt);

        await AppendAsync(lease, 1, events: 1);
        Assert.Null((await Journal.FindHeadAsync(key, default))!.WakeAt);
    }

    [Fact]
    public async Task Appends_of_many_sessions_at_once_all_land_on_their_own_session()
    {
        var leases = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => CreateAsync(NewKey())));

        for (var version = 0; version < 3; version++)
        {
            var written = await Task.WhenAll(leases.Select(lease => AppendAsync(lease, version, events: 1, payload: $"{lease.Key}:{version}")));
            Assert.DoesNotContain(false, written);
        }

        foreach (var lease in leases)
        {
            var payloads = (await ReadAllAsync(lease.Key)).Select(record => Encoding.UTF8.GetString(record.Payload.Span));
            Assert.Equal(Enumerable.Range(0, 3).Select(version => $"{lease.Key}:{version}"), payloads);
        }
    }

    [Fact]
    public async Task A_fenced_session_leaves_its_neighbours_untouched()
    {
        var leases = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => CreateAsync(NewKey())));
        await Journal.OpenAsync(leases[7].Key, NewHost(), create: true, default);

        var written = await Task.WhenAll(leases.Select(lease => AppendAsync(lease, 0, events: 1)));

        Assert.Equal([7], written.Select((landed, i) => (landed, i)).Where(append => !append.landed).Select(append => append.i));
    }

    [Fact]
    public async Task An_append_that_was_cancelled_before_it_began_writes_nothing()
    {
        var key = NewKey();
        var lease = await CreateAsync(key);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Journal.AppendAsync(lease, new(0, default, 1, Noon, null, null), cancelled.Token));

        Assert.True(await AppendAsync(lease, 0, events: 1));
    }

    /// <summary>A new key in an organization of its own.</summary>
    protected static SessionKey NewKey() => new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));

    protected static HostId NewHost() => HostId.New(TimeProvider.System);

    protected async Task<JournalLease> CreateAsync(SessionKey key) => (await Journal.OpenAsync(key, NewHost(), create: true, default))!;

    protected async Task<bool> AppendAsync(JournalLease lease, long expected, int events, string payload = "{}", string? view = null, DateTimeOffset? wakeAt = null) =>
        await Journal.AppendAsync(lease, new(expected, Encoding.UTF8.GetBytes(payload), events, Noon, wakeAt, view is null ? (ReadOnlyMemory<byte>?)null : Encoding.UTF8.GetBytes(view)), default);

    protected async Task<List<JournalRecord>> ReadAllAsync(SessionKey key, long afterVersion = 0) => await CollectAsync(Journal.ReadAsync(key, afterVersion, default));

    protected static async Task<List<JournalRecord>> CollectAsync(IAsyncEnumerable<JournalRecord> records)
    {
        var collected = new List<JournalRecord>();
        await foreach (var record in records) collected.Add(record);
        return collected;
    }
}
