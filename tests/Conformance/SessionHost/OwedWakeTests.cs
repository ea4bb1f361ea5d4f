using Coordinator.Adapters.InProcess;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>What becomes of a due session that a live host has claimed and does not have awake.</summary>
public sealed class OwedWakeTests
{
    private static readonly Principal Ada = new(PrincipalKind.User, "usr_ada", "Ada");

    private readonly ClusterStore store = new();
    private readonly RecordingEffects effects = new();
    private readonly SessionKey key = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));

    [Fact]
    public async Task A_session_whose_opening_failed_after_its_host_had_claimed_it_is_woken_by_that_host_though_a_peer_looks_first()
    {
        await using var owner = await StartAsync();
        await using var peer = await StartAsync();
        await owner.Host.CallAsync(key, new SessionCommand.Create(Ada, new("demo/scripted", "opencode", null, PermissionMode.Auto), "Owed"), default);
        await owner.Member.Actors.BeginAnewAsync(default);
        await store.Journal.HandOverAsync((await store.Journal.OpenAsync(key, HostId.New(TimeProvider.System), create: false, default))!, default);
        Assert.Equal(owner.Member.Location, await store.Hosts.ClaimAsync(key, owner.Member.Registration, default)); // and no opening follows

        await SweepAsync(peer, "that the peer has looked, and is done with what it was handed out", looks => looks > 1);
        Assert.False(owner.Member.Actors.IsActive(key) || peer.Member.Actors.IsActive(key));

        await SweepAsync(owner, "that its host wakes it", _ => owner.Member.Actors.IsActive(key));
    }

    /// <summary>It looks for due sessions only when it is told to.</summary>
    private Task<ClusterNode> StartAsync() => ClusterNode.StartAsync(store, effects, change: services => services.Remove(services.Single(service => service.ImplementationType == typeof(AlarmSweep))));

    /// <summary>Has the host look for due sessions until then; what is handed out to it meanwhile is hidden for longer than the test takes.</summary>
    private async Task SweepAsync(ClusterNode node, string what, Func<int, bool> until)
    {
        var looks = 0;
        var clock = HeldCalls.Over<IAlarmClock, IReadOnlyList<SessionKey>>(store.Alarms, nameof(IAlarmClock.ClaimDueAsync), _ => Interlocked.Increment(ref looks) < 0, out _);
        var options = new SessionHostOptions { AlarmInterval = TimeSpan.FromMilliseconds(5), AlarmHide = TimeSpan.FromHours(1) };
        using var sweep = new AlarmSweep(node.Host, clock, Options.Create(options), TimeProvider.System);
        await sweep.StartAsync(default);
        await Eventually.HoldsAsync(() => until(Volatile.Read(ref looks)), what);
        await sweep.StopAsync(default);
    }
}
