using Coordinator.Sandbox.Boot;
using Coordinator.Sandbox.Events;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Boot;

public sealed class PhaseProgressTests
{
    private readonly ManualTime time = new();
    private readonly Recorder events = new();

    [Fact]
    public async Task A_hundred_thousand_lines_cost_two_events_a_second_and_a_bounded_number_in_all()
    {
        await using (var progress = new PhaseProgress("install", events, new LifecycleEvents(new Redactor()), time))
        {
            for (var i = 0; i < 100_000; i++)
            {
                progress.Add($"line {i} of what an install prints when it prints too much\n");
                if (i % 100 == 0) time.Advance(TimeSpan.FromMilliseconds(100));
            }
        }

        Assert.InRange(events.Seen.Count, 2, 201);
        Assert.InRange(events.Seen.Sum(happened => happened.Data.Length), 1, 300 * 1024);
    }

    [Fact]
    public async Task What_was_printed_last_is_told_when_the_phase_ends()
    {
        await using (var progress = new PhaseProgress("install", events, new LifecycleEvents(new Redactor()), time))
        {
            progress.Add("first");
            progress.Add("last");
        }

        Assert.Contains("last", string.Concat(events.Seen.Select(happened => System.Text.Encoding.UTF8.GetString(happened.Data.Span))), StringComparison.Ordinal);
    }

    private sealed class Recorder : IBoxEvents
    {
        public List<BoxEvent> Seen { get; } = [];

        public void Emit(BoxEvent happened)
        {
            lock (Seen) Seen.Add(happened);
        }

        public ValueTask WaitForRoomAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}
