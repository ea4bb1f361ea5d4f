using Coordinator.Adapters.InProcess.Cluster;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>What a host does when another one's machine takes no connection and refuses none, and when a look ends as nobody foresaw.</summary>
public sealed class SilentPeerTests : IAsyncLifetime
{
    private static readonly Principal Ada = new(PrincipalKind.User, "usr_ada", "Ada");

    private readonly ClusterStore store = new();
    private readonly RecordingEffects effects = new();
    private readonly SessionKey key = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
    private ClusterNode one = null!;
    private ClusterNode two = null!;

    public async Task InitializeAsync()
    {
        (one, two) = (await ClusterNode.StartAsync(store, effects), await ClusterNode.StartAsync(store, effects));
        await one.Host.CallAsync(key, new SessionCommand.Create(Ada, new("demo/scripted", "opencode", null, PermissionMode.Auto), "A session"), default);
    }

    public async Task DisposeAsync()
    {
        await one.DisposeAsync();
        await two.DisposeAsync();
    }

    [Fact]
    public async Task A_watcher_whose_host_could_not_reach_the_sessions_is_told_once_the_session_has_moved()
    {
        var network = new SilentMachine(one.Member.Location.Address, dials: int.MaxValue);
        await using var three = await ClusterNode.StartAsync(store, effects, change: services => Dialling(services, network));
        await using var watching = (await three.Host.SubscribeAsync(key, null, default)).Value;
        await network.GivenUp.WaitAsync(Eventually.Bound);

        await one.Host.DrainAsync(default);
        await using var later = (await three.Host.SubscribeAsync(key, null, default)).Value;
        Assert.True((await two.Host.CallAsync(key, new SessionCommand.Rename(Ada, "At the next"), default)).IsSuccess);

        await ToldAsync(watching, watching.Start.Seq + 1);
        await ToldAsync(later, watching.Start.Seq + 1);
    }

    [Fact]
    public async Task A_call_for_which_a_host_could_not_be_reached_in_time_is_tried_again()
    {
        var network = new SilentMachine(one.Member.Location.Address, dials: 1);
        await using var three = await ClusterNode.StartAsync(store, effects, searchTime: "00:10:00", change: services => Dialling(services, network));

        Assert.True((await three.Host.CallAsync(key, new SessionCommand.Rename(Ada, "At the second dial"), default)).IsSuccess);

        Assert.True(network.GivenUp.IsCompleted);
    }

    [Fact]
    public async Task A_watcher_is_told_though_a_look_for_it_ended_as_nobody_foresaw()
    {
        var registry = new StumblingRegistry(store.Hosts) { OverFinding = true };
        await using var three = await ClusterNode.StartAsync(store, effects, change: services => services.AddSingleton<IHostRegistry>(registry));
        await using var watching = (await three.Host.SubscribeAsync(key, null, default)).Value;
        await registry.Stumbled.WaitAsync(Eventually.Bound);

        Assert.True((await one.Host.CallAsync(key, new SessionCommand.Rename(Ada, "Afterwards"), default)).IsSuccess);

        await ToldAsync(watching, watching.Start.Seq + 1);
    }

    [Fact]
    public async Task A_watcher_whose_look_failed_hears_of_the_next_host_that_opens_the_session_and_waits_for_no_clock()
    {
        var registry = new StumblingRegistry(store.Hosts) { OverFinding = true };
        await using var three = await ClusterNode.StartAsync(store, effects, time: new ManualTime(TimeProvider.System.GetUtcNow()), change: services => services.AddSingleton<IHostRegistry>(registry));
        await using var watching = (await three.Host.SubscribeAsync(key, null, default)).Value;
        var told = ToldAsync(watching, watching.Start.Seq + 1);
        await registry.Stumbled.WaitAsync(Eventually.Bound);

        await one.Host.DrainAsync(default);
        Assert.True((await two.Host.CallAsync(key, new SessionCommand.Rename(Ada, "At the next"), default)).IsSuccess);

        await told;
    }

    [Fact]
    public async Task A_process_is_a_host_again_though_its_registering_and_its_leaving_ended_as_nobody_foresaw()
    {
        var registry = new StumblingRegistry(store.Hosts) { OverRegistering = true, OverLeaving = true };
        await using var three = await ClusterNode.StartAsync(store, effects, change: services => services.AddSingleton<IHostRegistry>(registry));
        var first = three.Member;

        store.Hosts.CutLock(first.Location.Id);

        await Eventually.HoldsAsync(() => three.Host.Members.Find() is { } anew && anew != first, "that it is a host again");
        Assert.False(registry.OverRegistering || registry.OverLeaving);
        Assert.True((await three.Host.CallAsync(key, new SessionCommand.Rename(Ada, "From there"), default)).IsSuccess);
    }

    [Fact]
    public async Task Who_waits_for_a_host_hears_of_its_death_though_a_look_ended_as_nobody_foresaw()
    {
        var (time, registry) = (new ManualTime(), new StumblingRegistry(store.Hosts) { OverLooking = true });
        var vigil = new PeerVigil(registry, time, new(NullLogger.Instance));
        using var kept = vigil.Keep(one.Member.Location.Id);
        var dead = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var told = kept.Dead.Register(dead.SetResult);
        await Eventually.AdvanceAsync(time, TimeSpan.FromMilliseconds(500), () => registry.Stumbled.IsCompleted);

        store.Hosts.CutLock(one.Member.Location.Id);

        await Eventually.AdvanceAsync(time, TimeSpan.FromMilliseconds(500), () => dead.Task.IsCompleted);
    }

    private static void Dialling(IServiceCollection services, SilentMachine network) => services.AddSingleton(s =>
        new PeerClient(s.GetRequiredService<PeerSigner>(), s.GetRequiredService<PeerVigil>(), TimeSpan.FromMinutes(5), TimeProvider.System, network.DialAsync));

    private static async Task ToldAsync(ISessionSubscription watching, long until)
    {
        using var limit = new CancellationTokenSource(Eventually.Bound);
        await foreach (var batch in watching.ReadAsync(limit.Token))
        {
            if (batch.LastSeq >= until) return;
        }

        Assert.Fail($"The subscription ended: {watching.Closed}.");
    }

    /// <summary>A machine of which the first dials get no answer at all, until whoever dials gives up.</summary>
    private sealed class SilentMachine(Uri address, int dials)
    {
        private readonly TaskCompletionSource givenUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int left = dials;

        public Task GivenUp => givenUp.Task;

        public async ValueTask<Stream> DialAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
        {
            if (context.DnsEndPoint.Port != address.Port || Interlocked.Decrement(ref left) < 0) return await DialedConnection.ToHostAsync(context, cancellationToken);
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }
            finally
            {
                givenUp.TrySetResult();
            }

            throw new InvalidOperationException("Nobody gave up.");
        }
    }

    /// <summary>The hosts' registry, of which the first call of each kind that is said ends in a fault of its own.</summary>
    private sealed class StumblingRegistry(IHostRegistry inner) : IHostRegistry
    {
        private readonly TaskCompletionSource stumbled = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool OverFinding { get; set; }

        public bool OverRegistering { get; set; }

        public bool OverLooking { get; set; }

        public bool OverLeaving { get; set; }

        public Task Stumbled => stumbled.Task;

        public ValueTask<HostLocation?> FindAsync(SessionKey key, CancellationToken cancellationToken)
        {
            if (OverFinding) Stumble(OverFinding = false);
            return inner.FindAsync(key, cancellationToken);
        }

        public async ValueTask<IHostRegistration> RegisterAsync(HostIntroduction introduction, CancellationToken cancellationToken)
        {
            if (OverRegistering) Stumble(OverRegistering = false);
            return new Registration(this, await inner.RegisterAsync(introduction, cancellationToken));
        }

        public ValueTask<bool> IsAliveAsync(HostId host, CancellationToken cancellationToken)
        {
            if (OverLooking) Stumble(OverLooking = false);
            return inner.IsAliveAsync(host, cancellationToken);
        }

        public ValueTask<HostLocation> ClaimAsync(SessionKey key, IHostRegistration claimant, CancellationToken cancellationToken) => inner.ClaimAsync(key, claimant, cancellationToken);

        public IOpeningListener Listen(SessionKey key) => inner.Listen(key);

        private void Stumble(bool _)
        {
            stumbled.TrySetResult();
            throw new InvalidOperationException("Nobody foresaw it.");
        }

        private sealed class Registration(StumblingRegistry owner, IHostRegistration inner) : IHostRegistration
        {
            public HostLocation Location => inner.Location;

            public CancellationToken Lost => inner.Lost;

            public HostLoss? Loss => inner.Loss;

            public void Tell(SessionKey key) => inner.Tell(key);

            public async ValueTask DisposeAsync()
            {
                await inner.DisposeAsync();
                if (owner.OverLeaving) owner.Stumble(owner.OverLeaving = false);
            }
        }
    }
}
