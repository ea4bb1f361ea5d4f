using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.HostRegistry;

/// <summary>What every registry of hosts promises. Hosts are registered as by processes of their own.</summary>
public abstract class HostRegistryContract : IAsyncLifetime
{
    /// <summary>Beats follow each other in seconds, and a busy machine has half a minute to make one.</summary>
    protected static readonly TimeSpan BriskLife = TimeSpan.FromMinutes(1);

    private readonly List<IHostRegistration> registered = [];

    protected abstract ISessionJournal Journal { get; }

    public abstract Task InitializeAsync();

    public virtual async Task DisposeAsync()
    {
        foreach (var host in registered) await host.DisposeAsync();
    }

    /// <summary>The registry as another process has it; its hosts live for this long unheard, or for so long that no busy machine makes them doubt themselves.</summary>
    protected abstract IHostRegistry NewProcess(TimeSpan? timeToLive = null);

    /// <summary>The host's lock ends, as it does with its process or its connection.</summary>
    protected abstract Task CutLockAsync(IHostRegistration host);

    /// <summary>The host is not heard any more, until it has noticed; its lock stays.</summary>
    protected abstract Task HangUntilLostAsync(IHostRegistration host);

    /// <summary>Time goes by for a host that is not heard, until nine tenths of its time to live are over.</summary>
    protected abstract Task GoUnheardAsync(IHostRegistration host, TimeSpan timeToLive);

    /// <summary>A peer has found the host dead.</summary>
    protected abstract Task MarkDeadAsync(IHostRegistration host);

    [Fact]
    public async Task A_session_is_found_at_the_address_of_the_host_that_owns_it()
    {
        var (mine, other) = (await HostAsync("http://10.0.0.1:8787/"), await HostAsync("http://10.0.0.2:8787/"));
        var key = await OwnedAsync(mine.Host);

        Assert.Equal(new HostLocation(mine.Host.Location.Id, new("http://10.0.0.1:8787/")), await other.Registry.FindAsync(key, default));
    }

    [Fact]
    public async Task A_session_that_nobody_owns_is_found_nowhere_and_looking_does_not_take_it()
    {
        var (registry, host) = await HostAsync();
        var key = NewKey();
        Assert.Null(await registry.FindAsync(key, default));
        var lease = await OpenAsync(key, host);
        await Journal.ReleaseAsync(lease, default);

        Assert.Null(await registry.FindAsync(key, default));
        Assert.Null((await Journal.FindHeadAsync(key, default))!.Host);
    }

    [Fact]
    public async Task A_host_is_alive_to_its_peers_until_it_leaves_or_its_lock_is_gone()
    {
        var (mine, cut, other) = (await HostAsync(), await HostAsync(), await HostAsync());
        Assert.True(await other.Registry.IsAliveAsync(mine.Host.Location.Id, default));
        Assert.True(await other.Registry.IsAliveAsync(cut.Host.Location.Id, default));

        await CutLockAsync(cut.Host);
        await mine.Host.DisposeAsync();

        Assert.False(await other.Registry.IsAliveAsync(mine.Host.Location.Id, default));
        Assert.False(await other.Registry.IsAliveAsync(cut.Host.Location.Id, default));
        Assert.True(await other.Registry.IsAliveAsync(other.Host.Location.Id, default));
        Assert.False(await other.Registry.IsAliveAsync(HostId.New(TimeProvider.System), default));
    }

    [Fact]
    public async Task Who_listens_for_a_session_is_told_by_who_opens_it_and_by_nobody_else()
    {
        var (mine, other) = (await HostAsync(), await HostAsync());
        var (key, another) = (NewKey(), NewKey());
        using (var first = other.Registry.Listen(key))
        {
            mine.Host.Tell(key);
            await first.Opened.WaitAsync(Eventually.Bound); // from here on it is certain that it hears
        }

        using var told = other.Registry.Listen(key);
        using var untold = other.Registry.Listen(another);
        mine.Host.Tell(key);
        await told.Opened.WaitAsync(Eventually.Bound);

        Assert.False(untold.Opened.IsCompleted);
    }

    [Fact]
    public async Task Of_many_sessions_that_are_opened_at_once_all_are_told_of()
    {
        var (mine, other) = (await HostAsync(), await HostAsync());
        List<SessionKey> keys = [.. Enumerable.Range(0, 500).Select(_ => NewKey())];
        List<IOpeningListener> listeners = [.. keys.Select(other.Registry.Listen)];

        foreach (var key in keys) mine.Host.Tell(key);

        await Task.WhenAll(listeners.Select(listener => listener.Opened)).WaitAsync(Eventually.Bound);
        foreach (var listener in listeners) listener.Dispose();
    }

    [Fact]
    public async Task Every_registration_is_another_host()
    {
        var registry = NewProcess();
        var (one, two) = (await RegisterAsync(registry), await RegisterAsync(registry));

        Assert.NotEqual(one.Location.Id, two.Location.Id);
        Assert.Null(one.Loss);
        Assert.Null(two.Loss);
    }

    [Fact]
    public async Task A_free_session_goes_to_its_claimant_and_an_owned_one_stays_where_it_is()
    {
        var (mine, other) = (await HostAsync(), await HostAsync());
        var key = NewKey();
        await Journal.ReleaseAsync(await OpenAsync(key, mine.Host), default);

        Assert.Equal(mine.Host.Location, await mine.Registry.ClaimAsync(key, mine.Host, default));
        Assert.Equal(mine.Host.Location, await other.Registry.ClaimAsync(key, other.Host, default));
        Assert.Equal(mine.Host.Location, await mine.Registry.ClaimAsync(key, mine.Host, default));
        Assert.Equal(mine.Host.Location, await other.Registry.FindAsync(key, default));
    }

    [Fact]
    public async Task A_session_that_does_not_exist_is_the_claimants_to_open_and_is_not_made()
    {
        var (registry, host) = await HostAsync();
        var key = NewKey();

        Assert.Equal(host.Location, await registry.ClaimAsync(key, host, default));
        Assert.Null(await Journal.OpenAsync(key, host.Location.Id, create: false, default));
    }

    [Fact]
    public async Task Of_hosts_that_claim_at_once_exactly_one_is_named_to_all()
    {
        var hosts = new List<(IHostRegistry Registry, IHostRegistration Host)>();
        for (var i = 0; i < 4; i++) hosts.Add(await HostAsync());
        var key = NewKey();
        await Journal.ReleaseAsync(await OpenAsync(key, hosts[0].Host), default);

        var named = await Task.WhenAll(hosts.Select(one => Task.Run(async () => await one.Registry.ClaimAsync(key, one.Host, default))));

        Assert.Single(named.Distinct());
    }

    [Fact]
    public async Task What_a_host_that_left_owned_is_free()
    {
        var (mine, other) = (await HostAsync(), await HostAsync());
        var key = await OwnedAsync(mine.Host);

        await mine.Host.DisposeAsync();

        Assert.Null(await other.Registry.FindAsync(key, default));
        Assert.Equal(other.Host.Location, await other.Registry.ClaimAsync(key, other.Host, default));
    }

    [Fact]
    public async Task A_host_whose_lock_is_gone_knows_it_and_is_taken_over_at_once_and_its_leases_are_fenced()
    {
        var (mine, other) = (await HostAsync(), await HostAsync());
        var key = NewKey();
        var lease = await OpenAsync(key, mine.Host);

        await CutLockAsync(mine.Host);

        await LostAsync(mine.Host);
        Assert.Equal(HostLoss.LockGone, mine.Host.Loss);
        Assert.Null(await other.Registry.FindAsync(key, default));
        Assert.Equal(other.Host.Location, await other.Registry.ClaimAsync(key, other.Host, default));
        Assert.False(await AppendAsync(lease, 1));
    }

    [Fact]
    public async Task A_host_that_hangs_stops_before_its_peers_take_it_for_dead_and_is_taken_over_within_its_time_to_live()
    {
        var timeToLive = TimeSpan.FromSeconds(20);
        var (mine, other) = (await HostAsync(timeToLive: timeToLive), await HostAsync());
        var key = NewKey();
        var lease = await OpenAsync(key, mine.Host);

        await HangUntilLostAsync(mine.Host);

        Assert.NotNull(mine.Host.Loss);
        Assert.Equal(mine.Host.Location, await other.Registry.ClaimAsync(key, other.Host, default));
        await GoUnheardAsync(mine.Host, timeToLive);
        Assert.False(await other.Registry.IsAliveAsync(mine.Host.Location.Id, default));
        Assert.Null(await other.Registry.FindAsync(key, default));
        Assert.Equal(other.Host.Location, await other.Registry.ClaimAsync(key, other.Host, default));
        Assert.False(await AppendAsync(lease, 1));
    }

    [Fact]
    public async Task A_host_that_was_found_dead_is_told_so_and_claims_nothing_until_it_has_registered_anew()
    {
        var (registry, host) = await HostAsync(timeToLive: BriskLife);
        var key = await OwnedAsync(host);

        await MarkDeadAsync(host);

        await LostAsync(host);
        Assert.Equal(HostLoss.MarkedDead, host.Loss);
        Assert.Equal(PortFailureKind.Fenced, (await Assert.ThrowsAsync<PortException>(async () => await registry.ClaimAsync(key, host, default))).Kind);
        var anew = await RegisterAsync(registry);
        Assert.Equal(anew.Location, await registry.ClaimAsync(key, anew, default));
    }

    [Fact]
    public async Task A_host_that_takes_over_one_session_leaves_the_others_of_the_dead_where_they_are()
    {
        var (mine, one, two) = (await HostAsync(), await HostAsync(), await HostAsync());
        var (first, second) = (await OwnedAsync(mine.Host), await OwnedAsync(mine.Host));
        await CutLockAsync(mine.Host);

        Assert.Equal(one.Host.Location, await one.Registry.ClaimAsync(first, one.Host, default));
        Assert.Equal(mine.Host.Location.Id, (await Journal.FindHeadAsync(second, default))!.Host);
        Assert.Equal(two.Host.Location, await two.Registry.ClaimAsync(second, two.Host, default));
    }

    [Fact]
    public async Task A_process_that_has_registered_anew_stays_a_host_while_peers_take_over_what_it_left_under_its_old_id()
    {
        var (registry, old) = await HostAsync();
        var other = await HostAsync();
        var (first, second) = (NewKey(), NewKey());
        List<JournalLease> left = [await OpenAsync(first, old), await OpenAsync(second, old)];
        await CutLockAsync(old);
        var anew = await RegisterAsync(registry);

        Assert.Equal(other.Host.Location, await other.Registry.ClaimAsync(first, other.Host, default));
        Assert.Equal(other.Host.Location, await other.Registry.ClaimAsync(second, other.Host, default));

        Assert.True(await other.Registry.IsAliveAsync(anew.Location.Id, default));
        Assert.Null(anew.Loss);
        foreach (var lease in left) Assert.False(await AppendAsync(lease, 1));
    }

    [Fact]
    public async Task A_host_that_a_peer_has_found_dead_opens_nothing_more_however_late()
    {
        var (mine, other) = (await HostAsync(), await HostAsync());
        var key = await OwnedAsync(mine.Host);
        await MarkDeadAsync(mine.Host);
        Assert.Equal(other.Host.Location, await other.Registry.ClaimAsync(key, other.Host, default));
        var lease = await OpenAgainAsync(key, other.Host);

        foreach (var (late, create) in ((SessionKey, bool)[])[(key, false), (key, true), (NewKey(), true)])
        {
            var refused = await Assert.ThrowsAsync<PortException>(async () => await Journal.OpenAsync(late, mine.Host.Location.Id, create, default));
            Assert.Equal((PortFailureKind.Fenced, false), (refused.Kind, refused.EffectMayHaveHappened));
        }

        Assert.Null(await Journal.OpenAsync(NewKey(), other.Host.Location.Id, create: false, default));
        Assert.True(await AppendAsync(lease, 1));
    }

    [Fact]
    public async Task What_a_living_host_has_open_nobody_else_opens_who_has_not_claimed_it()
    {
        var (mine, other) = (await HostAsync(), await HostAsync());
        var key = NewKey();
        var lease = await OpenAsync(key, mine.Host);

        foreach (var create in (bool[])[false, true])
        {
            var refused = await Assert.ThrowsAsync<PortException>(async () => await Journal.OpenAsync(key, other.Host.Location.Id, create, default));
            Assert.Equal((PortFailureKind.Fenced, false), (refused.Kind, refused.EffectMayHaveHappened));
        }

        Assert.True(await AppendAsync(lease, 1));
        Assert.NotNull(await OpenAgainAsync(key, mine.Host));
        await Journal.ReleaseAsync(await OpenAgainAsync(key, mine.Host), default);
        Assert.NotNull(await OpenAgainAsync(key, other.Host));
        await CutLockAsync(other.Host);
        Assert.NotNull(await OpenAgainAsync(key, mine.Host));
    }

    [Fact]
    public async Task What_a_host_owned_that_was_never_registered_is_free()
    {
        var (registry, host) = await HostAsync();
        var key = NewKey();
        await AppendAsync((await Journal.OpenAsync(key, HostId.New(TimeProvider.System), create: true, default))!, 0);

        Assert.Null(await registry.FindAsync(key, default));
        Assert.Equal(host.Location, await registry.ClaimAsync(key, host, default));
    }

    [Fact]
    public async Task A_process_that_its_peers_would_not_believe_becomes_no_host_until_it_is_mended()
    {
        var clock = new SkewedTime();
        var first = await IntroduceAsync(new(Somewhere, "one key", Clock));
        await IntroduceAsync(new(Somewhere)); // of a release that says nothing of itself

        clock.Skew = TimeSpan.FromMinutes(6);
        var wrongClock = await Assert.ThrowsAsync<PortException>(async () => await IntroduceAsync(new(Somewhere, "one key", new ShiftedTime(Clock, clock))));
        var wrongKey = await Assert.ThrowsAsync<PortException>(async () => await IntroduceAsync(new(Somewhere, "another key", Clock)));

        Assert.Equal((PortFailureKind.Unavailable, PortFailureKind.Unavailable), (wrongClock.Kind, wrongKey.Kind));
        Assert.Contains("6 minutes ahead of", wrongClock.Message, StringComparison.Ordinal);
        Assert.Contains($"not that of {first.Location.Id}", wrongKey.Message, StringComparison.Ordinal);
        clock.Skew = TimeSpan.Zero;
        await IntroduceAsync(new(Somewhere, "one key", new ShiftedTime(Clock, clock)));
    }

    [Fact]
    public async Task A_host_of_which_the_clock_is_set_wrong_hears_that_it_is_none_and_its_peer_does_not()
    {
        var clock = new SkewedTime();
        var older = await IntroduceAsync(new(Somewhere, "one key", new ShiftedTime(Clock, clock)));
        var right = await IntroduceAsync(new(Somewhere, "one key", Clock));

        clock.Skew = -TimeSpan.FromMinutes(6);
        await PassBeatsAsync(older);

        Assert.Equal(HostLoss.Disbelieved, older.Loss);
        Assert.Null(right.Loss);
    }

    private static Uri Somewhere { get; } = new("http://127.0.0.1:1/");

    /// <summary>A clock that is right by the store's.</summary>
    protected virtual TimeProvider Clock => TimeProvider.System;

    /// <summary>Waits until a host that beats on has lost its registration.</summary>
    protected virtual Task PassBeatsAsync(IHostRegistration host) => LostAsync(host);

    private async Task<IHostRegistration> IntroduceAsync(HostIntroduction introduction)
    {
        var host = await NewProcess(TimeSpan.FromSeconds(8)).RegisterAsync(introduction, default);
        registered.Add(host);
        return host;
    }

    /// <summary>A clock, wrong by as much as another is.</summary>
    private sealed class ShiftedTime(TimeProvider inner, SkewedTime by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow() + by.Skew;
    }

    /// <summary>A registry of its own, and a host in it.</summary>
    protected async Task<(IHostRegistry Registry, IHostRegistration Host)> HostAsync(string address = "http://127.0.0.1:1/", TimeSpan? timeToLive = null)
    {
        var registry = NewProcess(timeToLive);
        return (registry, await RegisterAsync(registry, address));
    }

    protected static SessionKey NewKey() => new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));

    /// <summary>A session with one record that the host has open.</summary>
    protected async Task<JournalLease> OpenAsync(SessionKey key, IHostRegistration host)
    {
        var lease = (await Journal.OpenAsync(key, host.Location.Id, create: true, default))!;
        Assert.True(await AppendAsync(lease, 0));
        return lease;
    }

    private async Task<JournalLease> OpenAgainAsync(SessionKey key, IHostRegistration host) => (await Journal.OpenAsync(key, host.Location.Id, create: false, default))!;

    protected static async Task LostAsync(IHostRegistration host)
    {
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var told = host.Lost.Register(lost.SetResult);
        await lost.Task.WaitAsync(Eventually.Bound);
    }

    private async Task<SessionKey> OwnedAsync(IHostRegistration host)
    {
        var key = NewKey();
        await OpenAsync(key, host);
        return key;
    }

    private async Task<bool> AppendAsync(JournalLease lease, long expected) =>
        await Journal.AppendAsync(lease, new(expected, default, 0, TimeProvider.System.GetUtcNow(), null, null), default);

    protected async Task<IHostRegistration> RegisterAsync(IHostRegistry registry, string address = "http://127.0.0.1:1/")
    {
        var host = await registry.RegisterAsync(new(new(address)), default);
        registered.Add(host);
        return host;
    }
}
