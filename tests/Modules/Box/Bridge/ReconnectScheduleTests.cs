using Coordinator.Sandbox.Bridge;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Bridge;

public sealed class ReconnectScheduleTests
{
    [Fact]
    public void The_span_doubles_to_its_longest_and_is_short_again_after_a_connection()
    {
        var schedule = new ReconnectSchedule(ReconnectSchedule.LongestElsewhere, () => 1);

        var waits = Enumerable.Range(0, 10).Select(_ => schedule.Next().TotalSeconds).ToArray();
        schedule.Reset();

        Assert.Equal([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30], waits);
        Assert.Equal(0.2, schedule.Next().TotalSeconds);
    }

    [Fact]
    public void A_host_on_the_same_machine_is_dialled_at_least_once_a_second()
    {
        var schedule = new ReconnectSchedule(ReconnectSchedule.LongestOnSameMachine, () => 0.999);

        Assert.All(Enumerable.Range(0, 40), _ => Assert.True(schedule.Next() <= TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void Waits_are_spread_over_the_whole_span() =>
        Assert.Equal(TimeSpan.Zero, new ReconnectSchedule(ReconnectSchedule.LongestElsewhere, () => 0).Next());
}
