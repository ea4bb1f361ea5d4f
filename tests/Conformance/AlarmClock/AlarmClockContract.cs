using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Conformance.AlarmClock;

/// <summary>What every alarm clock promises. Each test has a store of its own, since a claim is over all sessions.</summary>
public abstract class AlarmClockContract
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    protected abstract IAlarmClock Clock { get; }

    protected abstract ISessionJournal Journal { get; }

    /// <summary>A host of the registry over the same store, that lives.</summary>
    protected abstract Task<HostId> LivingHostAsync();

    /// <summary>Its process is gone.</summary>
    protected abstract Task KillAsync(HostId host);

    /// <summary>It has its lock, and was not heard for so long that it is dead to its peers.</summary>
    protected abstract Task HangAsync(HostId host);

    /// <summary>The store's time.</summary>
    protected abstract Task<DateTimeOffset> NowAsync();

    /// <summary>Makes the store's time go by.</summary>
    protected abstract Task PassAsync(TimeSpan time);

    [Fact]
    public async Task A_session_is_due_when_its_time_has_come_and_not_before()
    {
        var key = (await WakingAsync(Minute)).Key;

        Assert.Empty(await ClaimAsync());
        await PassAsync(2 * Minute);
        Assert.Equal([key], await ClaimAsync());
    }

    [Fact]
    public async Task Who_looks_ahead_is_given_what_will_be_due_by_then_and_nothing_later()
    {
        var (soon, due) = ((await WakingAsync(5 * Minute)).Key, (await WakingAsync(Minute)).Key);
        await WakingAsync(60 * Minute);
        await WakingAsync(null);
        await PassAsync(2 * Minute);

        Assert.Equal([due, soon], await ClaimAsync(ahead: new(default, 10 * Minute)));
        Assert.Empty(await ClaimAsync(ahead: new(default, 10 * Minute)));
    }

    [Fact]
    public async Task What_a_live_host_has_is_due_to_it_at_its_time_however_far_it_looks_ahead()
    {
        var living = await LivingHostAsync();
        var key = (await WakingAsync(5 * Minute, living)).Key;

        Assert.Empty(await ClaimAsync(ahead: new(10 * Minute, 10 * Minute), by: living));
        await PassAsync(6 * Minute);
        Assert.Equal([key], await ClaimAsync(by: living));
    }

    [Fact]
    public async Task What_a_live_host_has_is_left_to_it_by_all_others_and_hidden_by_none()
    {
        var (living, other) = (await LivingHostAsync(), await LivingHostAsync());
        var key = (await WakingAsync(Minute, living)).Key;
        await PassAsync(2 * Minute);

        Assert.Empty(await ClaimAsync(ahead: new(10 * Minute, 10 * Minute), by: other));
        Assert.Empty(await ClaimAsync());
        Assert.Equal([key], await ClaimAsync(by: living));
    }

    [Fact]
    public async Task What_a_host_has_that_hangs_is_due_to_others_once_it_is_dead_to_them()
    {
        var (hanging, other) = (await LivingHostAsync(), await LivingHostAsync());
        var key = (await WakingAsync(Minute, hanging)).Key;
        await PassAsync(2 * Minute);

        await HangAsync(hanging);

        Assert.Equal([key], await ClaimAsync(by: other));
    }

    [Fact]
    public async Task What_a_dead_host_had_is_due_to_who_looks_ahead_for_the_dead_and_nothing_else_is()
    {
        var (dead, living) = (await LivingHostAsync(), await LivingHostAsync());
        var orphan = (await WakingAsync(5 * Minute, dead)).Key;
        await WakingAsync(60 * Minute, dead);
        await WakingAsync(null, dead);
        await WakingAsync(5 * Minute, living);
        var nobodys = await WakingAsync(5 * Minute);
        await Journal.ReleaseAsync(nobodys, default);

        await KillAsync(dead);

        Assert.Empty(await ClaimAsync());
        Assert.Equal([orphan], await ClaimAsync(ahead: new(10 * Minute, default)));
        Assert.Empty(await ClaimAsync(ahead: new(10 * Minute, default)));
        Assert.Equal([nobodys.Key], await ClaimAsync(ahead: new(default, 10 * Minute)));
    }

    [Fact]
    public async Task What_was_handed_out_and_no_live_host_has_can_be_made_to_be_handed_out_again()
    {
        var (dead, living) = (await LivingHostAsync(), await LivingHostAsync());
        var (orphan, kept, nobodys) = ((await WakingAsync(Minute, dead)).Key, await WakingAsync(2 * Minute, living), (await WakingAsync(3 * Minute)).Key);
        await PassAsync(4 * Minute);
        Assert.Equal([orphan, nobodys], await ClaimAsync(by: dead));
        Assert.Equal([kept.Key], await ClaimAsync(by: living));
        await KillAsync(dead);

        await Clock.UnhideAsync(default);
        await Clock.UnhideAsync(default);

        Assert.Equal([orphan, nobodys], await ClaimAsync());
        Assert.Empty(await ClaimAsync(by: living));
    }

    [Fact]
    public async Task A_session_without_a_wake_up_is_never_due()
    {
        await WakingAsync(null);

        await PassAsync(100_000 * Minute);

        Assert.Empty(await ClaimAsync());
    }

    [Fact]
    public async Task The_longest_due_come_first_up_to_the_limit()
    {
        var third = (await WakingAsync(3 * Minute)).Key;
        var first = (await WakingAsync(1 * Minute)).Key;
        var second = (await WakingAsync(2 * Minute)).Key;
        await PassAsync(10 * Minute);

        Assert.Equal([first, second], await ClaimAsync(limit: 2));
        Assert.Equal([third], await ClaimAsync(limit: 2));
    }

    [Fact]
    public async Task One_handed_out_is_hidden_for_a_while_and_then_due_again()
    {
        var key = (await WakingAsync(Minute)).Key;
        await PassAsync(2 * Minute);

        Assert.Equal([key], await ClaimAsync(hideFor: 5 * Minute));
        await PassAsync(4 * Minute);
        Assert.Empty(await ClaimAsync());
        await PassAsync(2 * Minute);
        Assert.Equal([key], await ClaimAsync());
    }

    [Fact]
    public async Task One_whose_lease_was_handed_over_is_due_at_once_though_it_was_handed_out_or_was_to_sleep_for_long()
    {
        var (told, asleep) = (await WakingAsync(Minute), await WakingAsync(60 * Minute));
        await PassAsync(2 * Minute);
        await ClaimAsync(hideFor: 60 * Minute);

        await Journal.HandOverAsync(told, default);
        await Journal.HandOverAsync(asleep, default);
        await Journal.HandOverAsync(asleep, default);

        Assert.Equal([told.Key, asleep.Key], await ClaimAsync());
        Assert.Empty(await ClaimAsync());
        Assert.Null((await Journal.FindHeadAsync(told.Key, default))!.Host);
        Assert.False(await Journal.AppendAsync(told, new(1, "{}"u8.ToArray(), 0, await NowAsync(), null, null), default));
    }

    [Fact]
    public async Task An_append_that_moves_the_wake_up_ends_the_hiding()
    {
        var lease = await WakingAsync(Minute);
        await PassAsync(2 * Minute);
        await ClaimAsync(hideFor: 60 * Minute);

        await AppendAsync(lease, 1, await NowAsync() + Minute);

        Assert.Empty(await ClaimAsync());
        await PassAsync(2 * Minute);
        Assert.Equal([lease.Key], await ClaimAsync());
    }

    [Fact]
    public async Task An_append_that_clears_the_wake_up_ends_it()
    {
        var lease = await WakingAsync(Minute);
        await AppendAsync(lease, 1, null);

        await PassAsync(10 * Minute);

        Assert.Empty(await ClaimAsync());
    }

    [Fact]
    public async Task Hosts_that_claim_at_once_get_different_sessions()
    {
        var keys = new HashSet<SessionKey>();
        for (var i = 0; i < 40; i++) keys.Add((await WakingAsync(Minute)).Key);
        await PassAsync(2 * Minute);

        var claims = (await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => ClaimAsync(limit: 10)))).SelectMany(claim => claim).ToList();
        while (await ClaimAsync() is { Count: > 0 } passedOver) claims.AddRange(passedOver);

        Assert.Equal(keys.Count, claims.Count);
        Assert.Equal(keys, claims.ToHashSet());
    }

    [Fact]
    public async Task A_crashed_hosts_session_is_still_due()
    {
        var lease = await WakingAsync(Minute);
        await PassAsync(2 * Minute);

        Assert.Equal([lease.Key], await ClaimAsync(hideFor: TimeSpan.Zero));
        Assert.Equal([lease.Key], await ClaimAsync(hideFor: TimeSpan.Zero));
    }

    /// <summary>A session that wakes that long from now, of a host that no registry knows unless one is named.</summary>
    private async Task<JournalLease> WakingAsync(TimeSpan? from, HostId? owner = null)
    {
        var key = new SessionKey(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        var lease = (await Journal.OpenAsync(key, owner ?? HostId.New(TimeProvider.System), create: true, default))!;
        await AppendAsync(lease, 0, from is { } wait ? await NowAsync() + wait : null);
        return lease;
    }

    private async Task AppendAsync(JournalLease lease, long expected, DateTimeOffset? wakeAt) =>
        Assert.True(await Journal.AppendAsync(lease, new(expected, default, 0, await NowAsync(), wakeAt, null), default));

    /// <summary>By a host that no registry knows unless one is named.</summary>
    private async Task<IReadOnlyList<SessionKey>> ClaimAsync(int limit = 100, TimeSpan? hideFor = null, LookAhead ahead = default, HostId? by = null) =>
        await Clock.ClaimDueAsync(by ?? HostId.New(TimeProvider.System), limit, ahead, hideFor ?? 60 * Minute, default);
}
