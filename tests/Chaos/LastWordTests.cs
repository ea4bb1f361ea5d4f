using Coordinator.Tests.Chaos.Strikes;
using Coordinator.Tests.Support.Following;
using Xunit;

namespace Coordinator.Tests.Chaos;

/// <summary>What an agent said after the moment in which its note was read: that alone is a recovery of its box's link.</summary>
public sealed class LastWordTests
{
    private static readonly DateTimeOffset At = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly IReadOnlyList<ShownEvent> Shown =
    [
        Event("message.queued", "msg_a", "count 50 w1"),
        Event("message.queued", "msg_b", "count 50 w2"),
        Event("message.queued", "msg_c", "count 50 w22"),
        Event("message.dispatched", "msg_a"),
        Event("message.dispatched", "msg_b"),
        Event("message.dispatched", "msg_c"),
    ];

    [Theory]
    [InlineData("msg_b", "8 ", true)]
    [InlineData("msg_b", "5 6 7 8 ", true)]
    [InlineData("msg_c", "1 ", true)]
    [InlineData("msg_b", "7 ", false)]
    [InlineData("msg_b", "6 7 ", false)]
    [InlineData("msg_a", "50 ", false)]
    public void Only_a_higher_number_of_the_same_turn_and_any_of_a_later_one_were_said_afterwards(string message, string text, bool isLater) =>
        Assert.Equal(isLater, LastWord.Parse("w2 7\n")!.IsBefore(Event("agent.text", message, text), Shown));

    [Fact]
    public void Whose_turn_has_not_been_shown_yet_cannot_have_gone_on() =>
        Assert.False(new LastWord("w3", 7).IsBefore(Event("agent.text", "msg_c", "8 "), Shown));

    [Fact]
    public void What_is_no_word_of_an_agent_is_none_after_another() => Assert.False(new LastWord("w2", 7).IsBefore(Event("message.completed", "msg_c"), Shown));

    [Theory]
    [InlineData("")]
    [InlineData("w2")]
    [InlineData("w2 ")]
    public void A_note_that_is_being_written_says_nothing(string note) => Assert.Null(LastWord.Parse(note));

    private static ShownEvent Event(string type, string message, string? text = null) => new(1, At, type, message, text is null ? "{}" : $$"""{"text":"{{text}}"}""");
}
