using Coordinator.Tests.Chaos.Strikes;
using Coordinator.Tests.Support.Following;
using Xunit;

namespace Coordinator.Tests.Chaos;

/// <summary>What counts as recovered from a strike at what all stand on.</summary>
public sealed class RecoveryTests
{
    private static readonly DateTimeOffset At = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly ShownLog shown = new();

    public RecoveryTests()
    {
        Show(-2, "message.dispatched", "msg_a");
        Show(-1, "agent.text", "msg_a");
    }

    [Theory]
    [InlineData("agent.text")]
    [InlineData("message.completed")]
    [InlineData("message.cancelled")]
    public async Task A_turn_that_goes_on_or_ends_well_after_the_strike_has_recovered(string type) => await ComesAsync(() => Show(1, type, "msg_a"));

    [Theory]
    [InlineData("agent.text", "msg_a", -0.5)]
    [InlineData("agent.text", "msg_b", 1.0)]
    [InlineData("message.failed", "msg_a", 1.0)]
    [InlineData("message.completed", "msg_a", -0.5)]
    [InlineData("sandbox.silent", null, 1.0)]
    public async Task What_was_said_before_the_strike_or_by_another_turn_and_the_turns_failure_are_no_recovery(string type, string? message, double at)
    {
        var recovering = Recovery.OfAsync(shown, At, TimeSpan.FromMilliseconds(20), CancellationToken.None);

        Show(at, type, message);

        Assert.False(await recovering);
    }

    [Theory]
    [InlineData("message.failed", 1.0)]
    [InlineData("message.completed", -0.5)]
    public async Task Once_the_turn_has_failed_or_had_ended_before_the_strike_another_turns_words_are_a_recovery(string type, double at) => await ComesAsync(() =>
    {
        Show(at, type, "msg_a");
        Show(2, "agent.text", "msg_b");
    });

    [Fact]
    public async Task Where_no_turn_ran_the_next_words_are_a_recovery()
    {
        Show(-0.5, "message.completed", "msg_a");

        await ComesAsync(() => Show(1, "agent.text", "msg_b"));
    }

    [Fact]
    public async Task What_never_comes_is_no_recovery() => Assert.False(await Recovery.OfAsync(shown, At, TimeSpan.FromMilliseconds(1), CancellationToken.None));

    private async Task ComesAsync(Action show)
    {
        var recovering = Recovering();
        Assert.False(recovering.IsCompleted);
        show();
        Assert.True(await recovering);
    }

    private Task<bool> Recovering() => Recovery.OfAsync(shown, At, TimeSpan.FromSeconds(30), CancellationToken.None);

    private void Show(double seconds, string type, string? message) => shown.Add(new(shown.Count + 1, At + TimeSpan.FromSeconds(seconds), type, message, "{}"));
}
