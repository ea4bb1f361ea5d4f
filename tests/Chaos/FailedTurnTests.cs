using Coordinator.Tests.Chaos.Checks;
using Coordinator.Tests.Chaos.Strikes;
using Coordinator.Tests.Support.Following;
using Xunit;

namespace Coordinator.Tests.Chaos;

/// <summary>Which turns may fail: those of a box that was struck, and no other.</summary>
public sealed class FailedTurnTests
{
    private static readonly DateTimeOffset At = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    /// <summary>Three messages, of which two are done by the first box, and the last fails in the second.</summary>
    private static readonly IReadOnlyList<ShownEvent> Journal =
    [
        Event(1, "sandbox.requested", null, "box_1"),
        Event(2, "message.dispatched", "msg_a", "box_1"),
        Event(3, "message.completed", "msg_a"),
        Event(4, "message.dispatched", "msg_b", "box_1"),
        Event(5, "message.cancelled", "msg_b"),
        Event(6, "sandbox.requested", null, "box_2"),
        Event(7, "message.dispatched", "msg_c", "box_2"),
        Event(8, "message.failed", "msg_c"),
        Event(9, "message.failed", "msg_d"),
    ];

    [Fact]
    public void A_turn_that_fails_where_only_hosts_databases_and_networks_are_struck_is_found() =>
        Assert.Equal([FindingKind.FailedTurn, FindingKind.FailedTurn], Of().Select(found => found.Kind));

    [Fact]
    public void Turns_of_a_box_that_was_struck_may_fail() => Assert.Empty(Of(new BoxStrike(StrikeKind.Sandbox, At + TimeSpan.FromSeconds(6.5))));

    [Theory]
    [InlineData(nameof(StrikeKind.Bridge), 5.5)]
    [InlineData(nameof(StrikeKind.Bridge), 9.5)]
    [InlineData(nameof(StrikeKind.Agent), 3.5)]
    public void A_strike_at_the_box_before_or_one_after_the_end_or_at_the_agent_two_turns_ago_excuses_nothing(string kind, double seconds) =>
        Assert.Equal(FindingKind.FailedTurn, Of(new BoxStrike(Enum.Parse<StrikeKind>(kind), At + TimeSpan.FromSeconds(seconds)))[0].Kind);

    [Fact]
    public void The_turn_after_the_one_in_which_the_agent_was_struck_may_fail() =>
        Assert.DoesNotContain(Of(new BoxStrike(StrikeKind.Agent, At + TimeSpan.FromSeconds(4.5))), found => found.What.StartsWith("msg_c", StringComparison.Ordinal));

    [Fact]
    public void A_turn_that_fails_where_only_the_way_of_its_box_was_struck_is_found() =>
        Assert.Equal([FindingKind.FailedTurn, FindingKind.FailedTurn], Of(new BoxStrike(StrikeKind.BoxLink, At + TimeSpan.FromSeconds(7.5))).Select(found => found.Kind));

    [Fact]
    public void The_report_says_how_turns_ended()
    {
        var report = new ChaosReport();

        report.Add(Evidence(), []);
        foreach (var found in Of()) report.Add(found);

        Assert.Contains("4 turns (1 completed, 2 failed, 1 cancelled)", report.ToString(), StringComparison.Ordinal);
        Assert.Contains("2 failed turns", report.ToString(), StringComparison.Ordinal);
    }

    private static List<Finding> Of(params BoxStrike[] struck) => [.. FailureCheck.Of(Evidence(struck))];

    private static SessionEvidence Evidence(params BoxStrike[] struck) => new("ses_1", Journal, Journal.Count, [], [], [], [], struck);

    private static ShownEvent Event(long seq, string type, string? message, string? box = null) => new(seq, At + TimeSpan.FromSeconds(seq), type, message, box is null ? "{}" : $$"""{"sandboxId":"{{box}}"}""");
}
