using Coordinator.Adapters.InProcess;
using Coordinator.Fakes;
using Coordinator.Modules.Sessions;
using Coordinator.Modules.Sessions.Actor;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>What a host that is told to stop does for its sessions, whether it has peers or not.</summary>
public sealed class DrainingTests
{
    private static readonly Principal Ada = new(PrincipalKind.User, "usr_ada", "Ada");

    private readonly InMemoryJournalStore store = new(TimeProvider.System);
    private readonly HeldEffects effects = new(typeof(SessionEffect.CreateSandbox));

    [Fact]
    public async Task A_box_that_is_being_made_is_made_once_and_told_of_to_the_next_host()
    {
        var (host, key) = await MakingABoxAsync();

        var draining = host.DrainAsync(default).AsTask();
        var served = await host.CallAsync(key, new SessionCommand.Rename(Ada, "served while the box is made"), default);
        var refused = await Assert.ThrowsAsync<PortException>(async () => await host.CallAsync(NewKey(), Create(), default));
        Assert.False(draining.IsCompleted);
        effects.Release();
        await draining;
        await using var next = Host();
        var view = await next.CallAsync(key, new SessionCommand.Rename(Ada, "carried on"), default);

        Assert.True(served.IsSuccess && view.IsSuccess);
        Assert.Equal((PortFailureKind.Unavailable, false, true), (refused.Kind, refused.EffectMayHaveHappened, refused.RetryAfter is not null));
        Assert.IsType<SessionEffect.CreateSandbox>(Assert.Single(effects.Begun));
        await next.DrainAsync(default);
    }

    [Fact]
    public async Task Work_that_takes_too_long_is_given_up_before_its_session_is_which_is_then_due_at_once()
    {
        var (host, key) = await MakingABoxAsync(new() { SettleTime = TimeSpan.FromMilliseconds(50) });
        HostId? owner = null;
        effects.WhenGivenUp = async () => owner = (await Journal.FindHeadAsync(key, default))!.Host;

        await host.DrainAsync(default);

        Assert.NotNull(owner);
        Assert.Null((await Journal.FindHeadAsync(key, default))!.Host);
        Assert.Equal([key], await DueAsync());
    }

    [Fact]
    public async Task A_session_at_work_is_due_at_once_when_its_host_has_stopped_since_its_box_may_not_come_and_one_at_rest_is_not()
    {
        var (host, key) = await MakingABoxAsync();
        await host.CallAsync(NewKey(), Create(), default);
        effects.Release();
        await BoxMadeAsync(key);

        await host.DrainAsync(default);

        Assert.Equal([key], await DueAsync());
    }

    [Fact]
    public async Task What_is_held_too_long_is_asked_to_end_and_can_still_tell_what_it_has_come_to()
    {
        await using var host = Host(new() { SettleTime = TimeSpan.FromMilliseconds(50) });
        var key = NewKey();
        await host.CallAsync(key, Create(), default);
        using var hold = host.TryHold(key)!;
        var asked = new TaskCompletionSource();
        using var asking = hold.GivenUp.Register(asked.SetResult);

        var draining = host.DrainAsync(default).AsTask();
        await asked.Task.WaitAsync(Eventually.Bound);
        var told = await host.CallAsync(key, new SessionCommand.Rename(Ada, "what it has come to"), default);
        Assert.False(draining.IsCompleted);
        hold.Dispose();

        await draining.WaitAsync(Eventually.Bound);
        Assert.True(told.IsSuccess);
        Assert.Equal(0, host.ActiveCount);
    }

    /// <summary>The moment is a short one, so it is looked for many times.</summary>
    [Fact]
    public async Task A_session_that_is_opened_in_the_moment_in_which_its_host_is_told_to_stop_is_handed_over_or_refused()
    {
        for (var round = 0; round < 1_000; round++)
        {
            await using var host = Host();
            var key = NewKey();
            using var together = new Barrier(2);
            var calling = Task.Run(async () =>
            {
                together.SignalAndWait();
                await host.CallAsync(key, Create(), default);
            });

            together.SignalAndWait();
            await host.DrainAsync(default).AsTask().WaitAsync(Eventually.Bound);
            await Task.WhenAny(calling).WaitAsync(Eventually.Bound);

            Assert.Equal(0, host.ActiveCount);
        }
    }

    [Fact]
    public async Task Only_the_session_that_something_is_held_for_is_waited_for()
    {
        await using var host = Host();
        var (held, idle) = (NewKey(), NewKey());
        foreach (var key in (SessionKey[])[held, idle]) await host.CallAsync(key, Create(), default);
        using var hold = host.TryHold(held)!;

        var draining = host.DrainAsync(default).AsTask();

        await Eventually.HoldsAsync(() => !host.IsActive(idle), "that the idle session is handed over");
        Assert.True(host.IsActive(held) && !draining.IsCompleted);
        hold.Dispose();
        await draining.WaitAsync(Eventually.Bound);
    }

    [Fact]
    public async Task However_many_are_held_each_is_handed_over_when_it_is_let_go()
    {
        await using var host = Host();
        List<SessionKey> keys = [.. Enumerable.Range(0, InProcessSessionHost.HandOverBatch + 2).Select(_ => NewKey())];
        foreach (var key in keys) await host.CallAsync(key, Create(), default);
        var holds = keys.ToDictionary(key => key, key => host.TryHold(key)!);

        var draining = host.DrainAsync(default).AsTask();
        foreach (var key in (SessionKey[])[keys[^1], keys[0]])
        {
            holds[key].Dispose();
            await Eventually.HoldsAsync(() => !host.IsActive(key), "that what is let go is handed over");
        }

        Assert.Equal(InProcessSessionHost.HandOverBatch, host.ActiveCount);
        foreach (var hold in holds.Values) hold.Dispose();
        await draining.WaitAsync(Eventually.Bound);
    }

    [Fact]
    public async Task What_a_held_session_comes_to_want_while_its_host_stops_does_not_end_it_before_its_time()
    {
        var (host, key) = await MakingABoxAsync();
        var hold = host.TryHold(key)!;

        var draining = host.DrainAsync(default).AsTask();
        effects.Release();
        await BoxMadeAsync(key);
        Assert.True((await host.CallAsync(key, new SessionCommand.Archive(Ada), default)).IsSuccess); // wants its box ended, which nothing here begins
        await host.CallAsync(key, new SessionCommand.Rename(Ada, "whatever its answer"), default); // a session that has gone would throw
        Assert.False(draining.IsCompleted);
        hold.Dispose();
        await draining.WaitAsync(Eventually.Bound);

        Assert.Equal([key], await DueAsync());
    }

    [Fact]
    public async Task What_a_session_comes_to_want_while_its_host_stops_is_left_to_the_next_one_at_once()
    {
        var (host, key) = await MakingABoxAsync();

        var draining = host.DrainAsync(default).AsTask();
        Assert.True((await host.CallAsync(key, new SessionCommand.Archive(Ada), default)).IsSuccess);
        effects.Release();
        await draining;

        Assert.Single(effects.Begun);
        Assert.Equal([key], await DueAsync());
        await using var next = Host();
        await next.WakeAsync(key, default);
        await Eventually.HoldsAsync(() => effects.Begun.OfType<SessionEffect.DestroySandbox>().Any(), "that the next host ends the box");
        await next.DrainAsync(default);
    }

    [Fact]
    public async Task Sessions_are_handed_over_so_many_at_a_time_and_the_others_are_served_until_their_turn()
    {
        var journal = HeldReleases.Over(Journal, out var releases);
        await using var host = Host(journal: journal);
        List<SessionKey> keys = [.. Enumerable.Range(0, 2 * InProcessSessionHost.HandOverBatch).Select(_ => NewKey())];
        foreach (var key in keys) await host.CallAsync(key, Create(), default);

        var draining = host.DrainAsync(default).AsTask();
        await Eventually.HoldsAsync(() => releases.Keys.Count == InProcessSessionHost.HandOverBatch, "that a batch is being handed over");
        var waiting = keys.Except(releases.Keys).First();
        Assert.True((await host.CallAsync(waiting, new SessionCommand.Rename(Ada, "not yet its turn"), default)).IsSuccess);

        Assert.Equal(InProcessSessionHost.HandOverBatch, releases.Keys.Count);
        releases.Open();
        await draining;
        Assert.Equal(keys.ToHashSet(), releases.Keys.ToHashSet());
        Assert.Equal(0, host.ActiveCount);
    }

    [Fact]
    public async Task A_session_that_is_stuck_on_its_way_in_or_out_keeps_no_other_from_being_handed_over()
    {
        var (stuckIn, stuckOut, idle) = (NewKey(), NewKey(), NewKey());
        var appending = HeldCalls.Over<ISessionJournal, bool>(Journal, nameof(ISessionJournal.AppendAsync), args => ((JournalLease)args[0]!).Key == stuckOut && ((JournalAppend)args[1]!).ExpectedVersion > 0, out var appends);
        var opening = HeldCalls.Over<ISessionJournal, JournalLease?>(appending, nameof(ISessionJournal.OpenAsync), args => (SessionKey)args[0]! == stuckIn, out var opens);
        await using var host = Host(new() { HibernateAfter = TimeSpan.FromHours(1) }, opening);
        foreach (var key in new[] { stuckOut, idle }) await host.CallAsync(key, Create(), default);
        var (creating, renaming) = (host.CallAsync(stuckIn, Create(), default).AsTask(), host.CallAsync(stuckOut, new SessionCommand.Rename(Ada, "being written"), default).AsTask());
        await Eventually.HoldsAsync(() => (opens.Asked, appends.Asked) == (1, 1), "that one session is stuck on its way in and one in an append");

        var draining = host.DrainAsync(default).AsTask();
        await Eventually.HoldsAsync(async () => (await Journal.FindHeadAsync(idle, default))!.Host is null, "that the third is handed over");

        Assert.False(draining.IsCompleted);
        opens.Open();
        appends.Open();
        await draining;
        Assert.True((await renaming).IsSuccess);
        await creating.ContinueWith(_ => { }, TaskScheduler.Default);
        Assert.Equal(0, host.ActiveCount);
    }

    [Fact]
    public async Task A_host_that_takes_no_sessions_hides_no_due_one_from_those_that_do()
    {
        var (host, key) = await MakingABoxAsync(new() { SettleTime = TimeSpan.Zero });
        await host.DrainAsync(default);
        var stopping = new Stopping();
        using var sweep = new AlarmSweep(stopping, new InMemoryAlarmClock(store), Options.Create(new SessionHostOptions { AlarmInterval = TimeSpan.FromMilliseconds(5) }), TimeProvider.System);

        await sweep.StartAsync(default);
        await Eventually.HoldsAsync(() => stopping.Asked > 2, "that it looks for due sessions more than once");
        await sweep.StopAsync(default);

        Assert.Equal([key], await DueAsync());
    }

    [Fact]
    public async Task An_opening_that_is_still_under_way_when_its_host_is_none_any_more_ends_with_it_and_takes_nothing_from_the_next()
    {
        var time = new ManualTime();
        var slow = new InMemoryJournalStore(time);
        var (journal, key) = (new InMemorySessionJournal(slow), NewKey());
        var made = (await journal.OpenAsync(key, HostId.New(time), create: true, default))!;
        Assert.True(await journal.AppendAsync(made, new(0, "{}"u8.ToArray(), 0, time.GetUtcNow(), null, null), default));
        using var impatient = new CancellationTokenSource();
        await using var host = Host(journal: new InMemorySessionJournal(slow) { SlowBy = TimeSpan.FromSeconds(5) }, time: time);
        var abandoned = host.CallAsync(key, new SessionCommand.Rename(Ada, "waited for by nobody"), impatient.Token).AsTask();
        var waking = host.WakeAsync(key, default);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => abandoned);

        var stopping = host.StopAsync(default);
        var next = (await journal.OpenAsync(key, HostId.New(time), create: false, default))!;
        Assert.False(await waking.WaitAsync(Eventually.Bound)); // so that its sweep leaves it to a peer
        await stopping;
        time.Advance(TimeSpan.FromSeconds(5));

        var head = (await journal.FindHeadAsync(key, default))!;
        Assert.Equal((next.Epoch, next.Host), (head.Epoch, head.Host));
    }

    [Fact]
    public async Task What_a_host_refuses_that_is_none_any_more_is_not_said_to_be_planned_as_what_one_refuses_that_was_told_to_stop()
    {
        await using var told = Host();
        await using var lost = Host();
        await told.DrainAsync(default);
        await lost.StopAsync(default);

        Assert.True((await Assert.ThrowsAsync<PortException>(async () => await told.CallAsync(NewKey(), Create(), default))).IsPlanned);
        Assert.False((await Assert.ThrowsAsync<PortException>(async () => await lost.CallAsync(NewKey(), Create(), default))).IsPlanned);
    }

    private InMemorySessionJournal Journal => new(store);

    private static SessionKey NewKey() => new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));

    private static SessionCommand.Create Create() => new(Ada, new("demo/scripted", "opencode", null, PermissionMode.Auto), "A session");

    private ValueTask<IReadOnlyList<SessionKey>> DueAsync() => new InMemoryAlarmClock(store).ClaimDueAsync(HostId.New(TimeProvider.System), 10, LookAhead.No, TimeSpan.FromMinutes(1), default);

    private InProcessSessionHost Host(SessionHostOptions? options = null, ISessionJournal? journal = null, TimeProvider? time = null) => new(
        journal ?? Journal,
        new SessionMachineFactory(SessionLimits.Default, new PlainTokens()),
        [effects],
        Options.Create(options ?? new SessionHostOptions()),
        time ?? TimeProvider.System,
        NullLogger<InProcessSessionHost>.Instance);

    private Task BoxMadeAsync(SessionKey key) => Eventually.HoldsAsync(
        async () => System.Text.Encoding.UTF8.GetString((await Journal.FindHeadAsync(key, default))!.View.Span).Contains("\"booting\"", StringComparison.Ordinal), "that the box is made");

    private async Task<(InProcessSessionHost Host, SessionKey Key)> MakingABoxAsync(SessionHostOptions? options = null)
    {
        var (host, key) = (Host(options), NewKey());
        await host.CallAsync(key, Create(), default);
        await host.CallAsync(key, new SessionCommand.Prompt(Ada, MessageId.New(TimeProvider.System), null, "work", null, null), default);
        await effects.Held.WaitAsync(Eventually.Bound);
        return (host, key);
    }

    private sealed class Stopping : IWakesSessions
    {
        private int asked;

        public int Asked => Volatile.Read(ref asked);

        public HostLog Log { get; } = new(NullLogger.Instance);

        public HostId? ServesAs
        {
            get
            {
                Interlocked.Increment(ref asked);
                return null;
            }
        }

        public Task<bool> WakeAsync(SessionKey key, CancellationToken cancellationToken) => throw new InvalidOperationException("It takes none.");
    }
}
