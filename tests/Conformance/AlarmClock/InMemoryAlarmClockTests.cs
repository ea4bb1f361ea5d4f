using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;

namespace Coordinator.Tests.Conformance.AlarmClock;

public sealed class InMemoryAlarmClockTests : AlarmClockContract
{
    private readonly ManualTime clock = new();
    private readonly InMemoryHostRegistry registry;

    public InMemoryAlarmClockTests()
    {
        var store = new InMemoryJournalStore(clock);
        (Clock, Journal, registry) = (new InMemoryAlarmClock(store), new InMemorySessionJournal(store), new(store));
    }

    protected override IAlarmClock Clock { get; }

    protected override ISessionJournal Journal { get; }

    protected override async Task<HostId> LivingHostAsync() => (await registry.RegisterAsync(new(new("http://127.0.0.1:1/")), default)).Location.Id;

    protected override Task KillAsync(HostId host)
    {
        registry.Kill(host);
        return Task.CompletedTask;
    }

    protected override async Task HangAsync(HostId host)
    {
        registry.Hang(host);
        await PassAsync(HostPulse.DeadAfter(InMemoryHostRegistry.TimeToLive));
    }

    protected override Task<DateTimeOffset> NowAsync() => Task.FromResult(clock.GetUtcNow());

    protected override Task PassAsync(TimeSpan time)
    {
        clock.Advance(time);
        return Task.CompletedTask;
    }
}
