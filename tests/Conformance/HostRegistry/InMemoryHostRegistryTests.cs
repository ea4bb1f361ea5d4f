using Coordinator.Fakes;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.HostRegistry;

public sealed class InMemoryHostRegistryTests : HostRegistryContract
{
    private readonly ManualTime time = new();
    private readonly InMemoryHostRegistry registry;

    public InMemoryHostRegistryTests()
    {
        var store = new InMemoryJournalStore(time);
        (registry, Journal) = (new(store), new InMemorySessionJournal(store));
    }

    protected override ISessionJournal Journal { get; }

    protected override TimeProvider Clock => time;

    protected override Task PassBeatsAsync(IHostRegistration host)
    {
        time.Advance(InMemoryHostRegistry.TimeToLive / 4);
        return Task.CompletedTask;
    }

    public override Task InitializeAsync() => Task.CompletedTask;

    [Fact]
    public async Task A_host_that_is_heard_lives_for_ever()
    {
        var (_, host) = await HostAsync();
        var key = NewKey();
        await OpenAsync(key, host);

        time.Advance(TimeSpan.FromHours(1));

        Assert.Null(host.Loss);
        Assert.Equal(host.Location, await registry.FindAsync(key, default));
    }

    [Fact]
    public async Task A_clock_that_is_set_does_not_make_a_host_stop()
    {
        var (_, host) = await HostAsync();

        time.Skew = TimeSpan.FromHours(1);
        time.Advance(InMemoryHostRegistry.TimeToLive);

        Assert.Null(host.Loss);
    }

    /// <summary>One store is one registry: the processes are in the test's mind.</summary>
    protected override IHostRegistry NewProcess(TimeSpan? timeToLive = null) => registry;

    protected override Task CutLockAsync(IHostRegistration host)
    {
        registry.CutLock(host.Location.Id);
        return Task.CompletedTask;
    }

    protected override Task HangUntilLostAsync(IHostRegistration host)
    {
        registry.Hang(host.Location.Id);
        time.Advance(InMemoryHostRegistry.TimeToLive / 2);
        return Task.CompletedTask;
    }

    /// <summary>Half of it is over already; the fake's time to live is its own.</summary>
    protected override Task GoUnheardAsync(IHostRegistration host, TimeSpan timeToLive)
    {
        time.Advance(InMemoryHostRegistry.TimeToLive * 0.4);
        return Task.CompletedTask;
    }

    /// <summary>Its peers did not hear it for a while, by a clock that jumped.</summary>
    protected override async Task MarkDeadAsync(IHostRegistration host)
    {
        var (_, peer) = await HostAsync();
        var key = NewKey();
        await OpenAsync(key, host);
        registry.Hang(host.Location.Id);
        time.Skew += InMemoryHostRegistry.TimeToLive;
        time.Advance(InMemoryHostRegistry.TimeToLive / 4);
        Assert.Equal(peer.Location, await registry.ClaimAsync(key, peer, default));
        registry.Resume(host.Location.Id);
        time.Advance(InMemoryHostRegistry.TimeToLive / 8);
    }
}
