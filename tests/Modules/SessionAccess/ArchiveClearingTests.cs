using System.Reflection;
using System.Text;
using Coordinator.Fakes;
using Coordinator.Modules.SessionAccess;
using Coordinator.Modules.SessionAccess.Following;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

/// <summary>What was stored of archives that nothing became of.</summary>
public sealed class ArchiveClearingTests
{
    private static readonly TimeSpan Age = TimeSpan.FromDays(30);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly ManualTime time = new();
    private readonly InMemoryArtifactStore artifacts = new();
    private readonly InMemorySessionJournal journal;

    public ArchiveClearingTests() => journal = new(time);

    [Fact]
    public async Task What_a_host_stored_that_died_before_it_was_noted_is_gone_after_an_hour_though_the_session_went_on_and_is_stored_otherwise()
    {
        var key = await SleptAsync();
        await DieBeforeNotingAsync();
        Assert.Equal(1, artifacts.Count);
        await GoOnAsync(key, version: 1);

        await ArchiveAsync(journal);
        Assert.Equal((2, 2L), (artifacts.Count, (await journal.FindHeadAsync(key, default))!.Archived));
        await ClearAsync();

        Assert.Equal(1, artifacts.Count);
        Assert.Equal(2, (await ReadAsync(key)).Count);
        Assert.Empty(await journal.GiveUpArchivesAsync(TimeSpan.FromMinutes(-1), null, 10, default));
    }

    [Fact]
    public async Task What_is_being_stored_stays()
    {
        await SleptAsync();
        await DieBeforeNotingAsync();
        time.Advance(Hour - TimeSpan.FromMinutes(1));

        await Clearing().SweepAsync(Hour, default);

        Assert.Equal(1, artifacts.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_host_that_stood_still_until_its_blob_was_cleared_away_archives_nothing_in_it_and_leaves_nothing(bool isArchivedMeanwhile)
    {
        var key = await SleptAsync();

        await ArchiveAsync(Standing.Still(journal, async () =>
        {
            await ClearAsync();
            Assert.Equal(0, artifacts.Count);
            if (isArchivedMeanwhile) await ArchiveAsync(journal);
        }));

        Assert.Equal(isArchivedMeanwhile ? (1, 1L) : (0, 0L), (artifacts.Count, (await journal.FindHeadAsync(key, default))!.Archived));
        if (isArchivedMeanwhile) Assert.Single(await ReadAsync(key));
        await foreach (var record in journal.ReadEventsAsync(key, 0, default)) Assert.Equal(isArchivedMeanwhile, RecordEvents.AreGone(record));
    }

    [Fact]
    public async Task Of_two_hosts_that_store_the_same_events_the_one_that_comes_late_takes_away_its_own_blob_alone()
    {
        var key = await SleptAsync();

        await ArchiveAsync(Standing.Still(journal, () => ArchiveAsync(journal)));

        Assert.Equal(1, artifacts.Count);
        Assert.Single(await ReadAsync(key));
    }

    [Fact]
    public async Task One_that_cannot_be_removed_keeps_no_other_from_going_and_goes_the_next_time()
    {
        for (var i = 0; i < 3; i++) await SleptAsync();
        await DieBeforeNotingAsync();
        Assert.Equal(3, artifacts.Count);
        artifacts.Faults.FailBefore(calls: 1);

        await ClearAsync();

        Assert.Equal(1, artifacts.Count);
        await Clearing().SweepAsync(Hour, default);
        Assert.Equal(0, artifacts.Count);
    }

    [Fact]
    public async Task A_store_that_is_away_is_left_until_the_next_sweep()
    {
        await SleptAsync();
        await DieBeforeNotingAsync();
        artifacts.Faults.FailBefore();
        await ClearAsync();
        journal.Faults.FailBefore();
        await Clearing().SweepAsync(Hour, default);
        Assert.Equal(1, artifacts.Count);

        artifacts.Faults.Clear();
        journal.Faults.Clear();
        await Clearing().SweepAsync(Hour, default);

        Assert.Equal(0, artifacts.Count);
    }

    [Fact]
    public async Task It_runs_by_itself()
    {
        await SleptAsync();
        await DieBeforeNotingAsync();
        using var clearing = Clearing();
        await clearing.StartAsync(default);

        await Eventually.AdvanceAsync(time, TimeSpan.FromMinutes(10), () => artifacts.Count == 0);

        await clearing.StopAsync(default);
    }

    /// <summary>A session with an event, that sleeps for longer than the age.</summary>
    private async Task<SessionKey> SleptAsync()
    {
        var key = new SessionKey(OrganizationId.New(time), SessionId.New(time));
        await GoOnAsync(key, version: 0);
        return key;
    }

    private async Task GoOnAsync(SessionKey key, long version)
    {
        var lease = (await journal.OpenAsync(key, HostId.New(time), create: true, default))!;
        Assert.True(await journal.AppendAsync(lease, new(version, Encoding.UTF8.GetBytes("""{"facts":[],"events":[{}]}"""), 1, time.GetUtcNow(), null, null), default));
        await journal.ReleaseAsync(lease, default);
        time.Advance(Age + TimeSpan.FromMinutes(1));
    }

    /// <summary>A host stores what there is to archive, and is no more when it would have it noted.</summary>
    private Task DieBeforeNotingAsync() => ArchiveAsync(Standing.Still(journal, () => Task.FromException(new PortException(PortFailureKind.Unavailable, "The host is no more."))));

    private async Task ArchiveAsync(ISessionJournal by)
    {
        using var sweep = new EventArchiving(by, artifacts, Options.Create(new SessionAccessOptions()), time, NullLogger<EventArchiving>.Instance);
        await sweep.SweepAsync(Age, default);
    }

    /// <summary>What was begun by now is old, and cleared away.</summary>
    private async Task ClearAsync()
    {
        time.Advance(Hour + TimeSpan.FromMinutes(1));
        await Clearing().SweepAsync(Hour, default);
    }

    private ArchiveClearing Clearing() => new(journal, artifacts, time, NullLogger<ArchiveClearing>.Instance);

    private async Task<IReadOnlyList<JournalRecord>> ReadAsync(SessionKey key) => await ArchiveReader.ReadAsync(artifacts, (await journal.FindArchiveAsync(key, 0, default))!, default);

    /// <summary>A journal that something happens before: between a blob's storing and its being noted.</summary>
    public class Standing : DispatchProxy
    {
        private ISessionJournal journal = null!;
        private Func<Task> meanwhile = null!;

        public static ISessionJournal Still(ISessionJournal journal, Func<Task> meanwhile)
        {
            var proxy = Create<ISessionJournal, Standing>();
            ((Standing)(object)proxy).journal = journal;
            ((Standing)(object)proxy).meanwhile = meanwhile;
            return proxy;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            targetMethod!.Name == nameof(ISessionJournal.ArchiveAsync) ? new ValueTask<bool>(ArchiveAsync((SessionHead)args![0]!, (EventArchive)args[1]!)) : targetMethod.Invoke(journal, args);

        private async Task<bool> ArchiveAsync(SessionHead seen, EventArchive archive)
        {
            await meanwhile();
            return await journal.ArchiveAsync(seen, archive, default);
        }
    }
}
