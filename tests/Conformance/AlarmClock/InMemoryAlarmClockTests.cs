using Coordinator.Fakes;
using Coordinator.Ports.Session;

namespace Coordinator.Tests.Conformance.AlarmClock;

public sealed class InMemoryAlarmClockTests : AlarmClockContract
{
    private readonly ShiftedTime clock = new();

    public InMemoryAlarmClockTests()
    {
        var store = new InMemoryJournalStore(clock);
        (Clock, Journal) = (new InMemoryAlarmClock(store), new InMemorySessionJournal(store));
    }

    protected override IAlarmClock Clock { get; }

    protected override ISessionJournal Journal { get; }

    protected override Task<DateTimeOffset> NowAsync() => Task.FromResult(clock.GetUtcNow());

    protected override Task PassAsync(TimeSpan time)
    {
        clock.Now += time;
        return Task.CompletedTask;
    }

    private sealed class ShiftedTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
