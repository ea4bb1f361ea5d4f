using Coordinator.Sandbox.Agent;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Agent;

public sealed class HangWatchTests
{
    private readonly ManualTime time = new();
    private readonly HangWatch watch;

    public HangWatchTests() => watch = new(TimeSpan.FromMinutes(5), time);

    [Fact]
    public void A_quiet_long_tool_call_is_not_taken_for_a_hang()
    {
        watch.ToolOpened();
        time.Advance(TimeSpan.FromHours(3));
        Assert.False(watch.IsHung(0));

        watch.ToolClosed();
        time.Advance(TimeSpan.FromMinutes(4));
        Assert.False(watch.IsHung(0));
    }

    [Fact]
    public void A_model_that_thinks_and_a_person_who_takes_their_time_are_waited_for()
    {
        time.Advance(TimeSpan.FromHours(1));
        Assert.False(watch.IsHung(modelCalls: 1));

        watch.QuestionOpened();
        time.Advance(TimeSpan.FromHours(20));
        Assert.False(watch.IsHung(0));
    }

    [Fact]
    public void An_agent_that_waits_for_nothing_and_says_nothing_is_hung()
    {
        time.Advance(TimeSpan.FromMinutes(5));

        Assert.True(watch.IsHung(0));
    }

    [Fact]
    public void Any_sign_of_life_begins_the_wait_anew()
    {
        time.Advance(TimeSpan.FromMinutes(4));
        watch.Sign();
        time.Advance(TimeSpan.FromMinutes(4));

        Assert.False(watch.IsHung(0));
    }
}
