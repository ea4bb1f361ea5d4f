using System.Reflection;
using Coordinator.Adapters.InProcess;
using Coordinator.Fakes;
using Coordinator.Modules.Sessions;
using Coordinator.Modules.Sessions.Actor;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

public sealed class InProcessSessionHostTests : SessionHostContract
{
    private static readonly Principal Ada = new(PrincipalKind.User, "usr_ada", "Ada");

    protected override SessionHostHarness CreateHarness() => new Harness(new InMemorySessionJournal(TimeProvider.System));

    private static SessionCommand.Prompt Prompt(string text) => new(Ada, MessageId.New(TimeProvider.System), null, text, null, null);

    private static SessionKey NewKey() => new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));

    private static SessionCommand.Create Create() => new(Ada, new("demo/scripted", "opencode", null, PermissionMode.Auto), "A session");

    [Fact]
    public async Task A_session_is_carried_on_from_its_journal_by_the_next_host()
    {
        var journal = new InMemorySessionJournal(TimeProvider.System);
        var key = NewKey();
        await using (var first = new Harness(journal))
        {
            await first.Host.CallAsync(key, Create(), CancellationToken.None);
            await first.Host.CallAsync(key, Prompt("one"), CancellationToken.None);
            await first.Host.DrainAsync(CancellationToken.None);
        }

        await using var second = new Harness(journal);
        var reply = (SessionReply.MessageAccepted)(await second.Host.CallAsync(key, Prompt("two"), CancellationToken.None)).Value;
        Assert.Equal(1, reply.Position);
    }

    [Fact]
    public async Task A_fenced_activation_ends_and_the_next_call_finds_a_new_one()
    {
        var journal = new InMemorySessionJournal(TimeProvider.System);
        await using var harness = new Harness(journal);
        var key = NewKey();
        await harness.Host.CallAsync(key, Create(), CancellationToken.None);
        await journal.OpenAsync(key, HostId.New(TimeProvider.System), create: false, CancellationToken.None);
        var fenced = await Assert.ThrowsAsync<PortException>(async () => await harness.Host.CallAsync(key, Prompt("lost"), CancellationToken.None));
        Assert.Equal(PortFailureKind.Fenced, fenced.Kind);
        Assert.True((await harness.Host.CallAsync(key, Prompt("again"), CancellationToken.None)).IsSuccess);
    }

    [Fact]
    public async Task A_session_is_made_though_its_lease_was_lost_before_its_first_record_and_one_that_was_made_is_fenced()
    {
        var journal = JournalThatLosesLeases.Over(new InMemorySessionJournal(TimeProvider.System), out var losing);
        await using var harness = new Harness(journal);
        var key = NewKey();
        losing.Next();
        Assert.True((await harness.Host.CallAsync(key, Create(), CancellationToken.None)).IsSuccess);

        losing.Next();
        var fenced = await Assert.ThrowsAsync<PortException>(async () => await harness.Host.CallAsync(key, Prompt("lost"), CancellationToken.None));
        Assert.Equal(PortFailureKind.Fenced, fenced.Kind);
    }

    [Fact]
    public async Task Told_that_its_journal_went_back_a_host_begins_every_session_anew_and_lets_those_who_follow_come_back()
    {
        var journal = new InMemorySessionJournal(TimeProvider.System);
        await using var harness = new Harness(journal);
        var key = NewKey();
        await harness.Host.CallAsync(key, Create(), CancellationToken.None);
        await using var follower = (await harness.Host.SubscribeAsync(key, null, CancellationToken.None)).Value;
        await journal.OpenAsync(key, HostId.New(TimeProvider.System), create: false, CancellationToken.None);

        await ((IKeepsSessions)harness.Host).BeginAnewAsync(CancellationToken.None);

        await foreach (var batch in follower.ReadAsync(CancellationToken.None)) Assert.Empty(batch.Events);
        Assert.Equal(SubscriptionCloseReason.HostRestarting, follower.Closed);
        Assert.True((await harness.Host.CallAsync(key, Prompt("at the first try"), CancellationToken.None)).IsSuccess);
    }

    [Fact]
    public async Task Followers_are_let_go_by_an_activation_that_does_not_know_what_it_wrote_and_read_it_when_they_come_back()
    {
        var journal = new InMemorySessionJournal(TimeProvider.System);
        await using var harness = new Harness(journal);
        var key = NewKey();
        await harness.Host.CallAsync(key, Create(), CancellationToken.None);
        await using var follower = (await harness.Host.SubscribeAsync(key, new SessionCursor(1, 0), CancellationToken.None)).Value;
        await using var events = follower.ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync());
        var ending = events.MoveNextAsync().AsTask();
        journal.Faults.LoseResponses();
        await Assert.ThrowsAsync<PortException>(async () => await harness.Host.CallAsync(key, new SessionCommand.Rename(Ada, "written, and nobody knows"), CancellationToken.None));
        journal.Faults.Clear();
        while (await ending) ending = events.MoveNextAsync().AsTask();
        Assert.Equal(SubscriptionCloseReason.SourceFailed, follower.Closed);
        await using var again = (await harness.Host.SubscribeAsync(key, new SessionCursor(1, 1), CancellationToken.None)).Value;
        await using var rest = again.ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await rest.MoveNextAsync());
        Assert.Equal(2, rest.Current.LastSeq);
    }

    [Fact]
    public async Task An_activation_whose_end_goes_wrong_in_a_way_nobody_thought_of_does_not_keep_the_next_one_out()
    {
        var journal = new InMemorySessionJournal(TimeProvider.System);
        await using var harness = new Harness(JournalThatCannotRelease.Over(journal));
        var key = NewKey();
        await harness.Host.CallAsync(key, Create(), CancellationToken.None);
        await journal.OpenAsync(key, HostId.New(TimeProvider.System), create: false, CancellationToken.None);
        await Assert.ThrowsAsync<PortException>(async () => await harness.Host.CallAsync(key, Prompt("lost"), CancellationToken.None));

        Assert.True((await harness.Host.CallAsync(key, Prompt("again"), CancellationToken.None)).IsSuccess);
    }

    [Fact]
    public async Task A_session_goes_on_while_its_snapshot_is_kept_and_ends_after_it()
    {
        var journal = JournalOfSlowSnapshots.Over(new InMemorySessionJournal(TimeProvider.System), out var slow);
        await using var harness = new Harness(journal, new SessionHostOptions { SnapshotEvery = 1 });
        var key = NewKey();
        await harness.Host.CallAsync(key, Create(), CancellationToken.None);
        await slow.Asked.Task.WaitAsync(TimeSpan.FromMinutes(1));

        Assert.True((await harness.Host.CallAsync(key, Prompt("meanwhile"), CancellationToken.None)).IsSuccess);

        var draining = harness.Host.DrainAsync(CancellationToken.None).AsTask();
        Assert.False(draining.IsCompleted);
        slow.Kept.SetResult();
        await draining.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.True((await journal.FindSnapshotAsync(key, CancellationToken.None))!.Version > 0);
    }

    [Theory]
    [InlineData(PortFailureKind.Unavailable)]
    [InlineData(PortFailureKind.Full)]
    public async Task A_journal_that_is_down_or_full_for_a_moment_costs_a_pause_and_not_the_actor(PortFailureKind failure)
    {
        var journal = new InMemorySessionJournal(TimeProvider.System);
        await using var harness = new Harness(journal);
        var key = NewKey();
        await harness.Host.CallAsync(key, Create(), CancellationToken.None);
        journal.Faults.FailBefore(failure, 3);
        Assert.True((await harness.Host.CallAsync(key, Prompt("patience"), CancellationToken.None)).IsSuccess);
    }

    [Fact]
    public async Task An_idle_session_leaves_memory_and_a_call_wakes_it()
    {
        await using var harness = new Harness(new InMemorySessionJournal(TimeProvider.System), new SessionHostOptions { HibernateAfter = TimeSpan.FromMilliseconds(50) });
        var key = NewKey();
        await harness.Host.CallAsync(key, Create(), CancellationToken.None);
        await Eventually.HoldsAsync(() => harness.Real.ActiveCount == 0, "The idle session's leaving memory");

        Assert.True((await harness.Host.CallAsync(key, Prompt("wake up"), CancellationToken.None)).IsSuccess);
    }

    [Fact]
    public async Task A_look_at_a_session_that_sleeps_wakes_nobody()
    {
        var journal = new InMemorySessionJournal(TimeProvider.System);
        await using var harness = new Harness(journal, new SessionHostOptions { HibernateAfter = TimeSpan.FromMilliseconds(50) });
        var key = NewKey();
        await harness.Host.CallAsync(key, Create(), CancellationToken.None);
        await Eventually.HoldsAsync(() => harness.Real.ActiveCount == 0, "The idle session's leaving memory");
        var epoch = (await journal.FindHeadAsync(key, CancellationToken.None))!.Epoch;

        Assert.True((await harness.Host.CallAsync(key, new SessionCommand.GetView(), CancellationToken.None)).IsSuccess);

        Assert.Equal(epoch, (await journal.FindHeadAsync(key, CancellationToken.None))!.Epoch);
    }

    [Fact]
    public async Task A_paused_follower_is_dropped_and_costs_no_memory_beyond_its_bound()
    {
        await using var harness = new Harness(new InMemorySessionJournal(TimeProvider.System), new SessionHostOptions { FollowerBytes = 64 * 1024 });
        var key = NewKey();
        await harness.Host.CallAsync(key, Create(), CancellationToken.None);
        await using var paused = (await harness.Host.SubscribeAsync(key, null, CancellationToken.None)).Value;
        await using var events = paused.ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        var live = events.MoveNextAsync().AsTask();
        await harness.Host.CallAsync(key, new SessionCommand.Rename(Ada, "read from the journal, or live"), CancellationToken.None);
        Assert.True(await live);
        live = events.MoveNextAsync().AsTask();
        await harness.Host.CallAsync(key, new SessionCommand.Rename(Ada, "live for certain"), CancellationToken.None);
        Assert.True(await live);
        for (var i = 0; i < 99 && paused.Closed is null; i++) await harness.Host.CallAsync(key, Prompt(new string('x', 10_000)), CancellationToken.None);
        Assert.Equal(SubscriptionCloseReason.TooSlow, paused.Closed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_damaged_snapshot_is_spoken_of_and_costs_nothing(bool damaged)
    {
        var journal = new InMemorySessionJournal(TimeProvider.System);
        var key = NewKey();
        await using (var before = new Harness(journal, new SessionHostOptions { SnapshotAtRest = 1 })) await before.Host.CallAsync(key, Create(), CancellationToken.None);
        journal.TearsSnapshots = damaged;
        using var log = new CapturedLog();
        using var logs = LoggerFactory.Create(builder => builder.AddProvider(log));

        await using var harness = new Harness(journal, log: logs.CreateLogger<InProcessSessionHost>());

        Assert.True((await harness.Host.CallAsync(key, Prompt("go on"), CancellationToken.None)).IsSuccess);
        Assert.Equal(damaged, log.Text.Contains($"Warning The snapshot of {key} at version", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_opening_that_finds_nothing_leaves_nothing_behind_though_who_asked_for_it_has_left()
    {
        var journal = HeldCalls.Over<ISessionJournal, JournalLease?>(new InMemorySessionJournal(TimeProvider.System), nameof(ISessionJournal.OpenAsync), _ => true, out var opens);
        await using var harness = new Harness(journal);
        using var left = new CancellationTokenSource();
        var asking = harness.Host.CallAsync(NewKey(), Prompt("of no session"), left.Token).AsTask();
        await Eventually.HoldsAsync(() => opens.Asked == 1, "that it is looked for");

        await left.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        Assert.Equal(1, harness.Real.ActiveCount);
        opens.Open();

        await Eventually.HoldsAsync(() => harness.Real.ActiveCount == 0, "that nothing is kept of it");
    }

    private sealed class Harness(ISessionJournal journal, SessionHostOptions? options = null, ILogger<InProcessSessionHost>? log = null) : SessionHostHarness
    {
        private InProcessSessionHost? host;

        public InProcessSessionHost Real => host ??= new(
            journal,
            new SessionMachineFactory(SessionLimits.Default, new PlainTokens()),
            [Effects],
            Options.Create(options ?? new SessionHostOptions()),
            TimeProvider.System,
            log ?? NullLogger<InProcessSessionHost>.Instance);

        public override ISessionHost Host => Real;

        public override async ValueTask DisposeAsync()
        {
            if (host is null) return;
            await host.DrainAsync(CancellationToken.None);
            await host.DisposeAsync();
        }
    }
}

public sealed class InMemorySessionHostTests : SessionHostContract
{
    protected override SessionHostHarness CreateHarness() => new Harness();

    private sealed class Harness : SessionHostHarness
    {
        private InMemorySessionHost? host;

        public override ISessionHost Host => host ??= new(new SessionMachineFactory(SessionLimits.Default, new PlainTokens()), [Effects], TimeProvider.System);

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>A journal whose leases cannot be given back, for a reason that no port names.</summary>
public class JournalThatCannotRelease : DispatchProxy
{
    private ISessionJournal inner = null!;

    public static ISessionJournal Over(ISessionJournal journal)
    {
        var proxy = Create<ISessionJournal, JournalThatCannotRelease>();
        ((JournalThatCannotRelease)(object)proxy).inner = journal;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name == nameof(ISessionJournal.ReleaseAsync)
        ? new ValueTask(Task.FromException(new InvalidOperationException("An answer that makes no sense.")))
        : targetMethod.Invoke(inner, args);
}

/// <summary>A journal that knows nothing of a lease any more when something is to be appended with it, once when a test says so.</summary>
public class JournalThatLosesLeases : DispatchProxy
{
    private ISessionJournal inner = null!;
    private int losing;

    public static ISessionJournal Over(ISessionJournal journal, out JournalThatLosesLeases losing)
    {
        var proxy = Create<ISessionJournal, JournalThatLosesLeases>();
        losing = (JournalThatLosesLeases)(object)proxy;
        losing.inner = journal;
        return proxy;
    }

    public void Next() => Interlocked.Exchange(ref losing, 1);

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name == nameof(ISessionJournal.AppendAsync) && Interlocked.Exchange(ref losing, 0) == 1
        ? new ValueTask<bool>(false)
        : targetMethod.Invoke(inner, args);
}

/// <summary>A journal of which the snapshots are kept when a test says so.</summary>
public class JournalOfSlowSnapshots : DispatchProxy
{
    private ISessionJournal inner = null!;

    public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Kept { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static ISessionJournal Over(ISessionJournal journal, out JournalOfSlowSnapshots slow)
    {
        var proxy = Create<ISessionJournal, JournalOfSlowSnapshots>();
        slow = (JournalOfSlowSnapshots)(object)proxy;
        slow.inner = journal;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name == nameof(ISessionJournal.SaveSnapshotAsync)
        ? new ValueTask(SaveAsync(() => (ValueTask)targetMethod.Invoke(inner, args)!))
        : targetMethod.Invoke(inner, args);

    private async Task SaveAsync(Func<ValueTask> save)
    {
        Asked.TrySetResult();
        await Kept.Task;
        await save();
    }
}
