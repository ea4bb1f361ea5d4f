using System.Globalization;
using Coordinator.Tests.Chaos.Checks;
using Coordinator.Tests.Chaos.Strikes;
using Coordinator.Tests.Support.Following;
using Xunit;

namespace Coordinator.Tests.Chaos;

/// <summary>What the checks of every run would find: each break of a promise, and nothing in a session that is well.</summary>
public sealed class CheckTests
{
    private static readonly DateTimeOffset At = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    /// <summary>Two messages, of which the first is completed and the second fails.</summary>
    private static readonly IReadOnlyList<ShownEvent> Journal =
    [
        Event(1, "sandbox.requested", null, """{"sandboxId":"box_1"}"""),
        Event(2, "message.queued", "msg_a", """{"text":"count 2 w1"}"""),
        Event(3, "message.dispatched", "msg_a", """{"sandboxId":"box_1"}"""),
        Event(4, "message.started", "msg_a", "{}"),
        Event(5, "message.queued", "msg_b", """{"text":"count 9 w2"}"""),
        Event(6, "agent.text", "msg_a", """{"part":"p1","offset":0,"text":"1 "}"""),
        Event(7, "agent.text", "msg_a", """{"part":"p1","offset":2,"text":"2 "}"""),
        Event(8, "message.completed", "msg_a", "{}"),
        Event(9, "message.dispatched", "msg_b", """{"sandboxId":"box_1"}"""),
        Event(10, "message.started", "msg_b", "{}"),
        Event(11, "message.failed", "msg_b", "{}"),
        Event(12, "session.archived", null, "{}"),
    ];

    private static readonly SessionEvidence Well = new(
        "ses_1",
        Journal,
        Journal.Count,
        [new("one", Journal), new("another", Journal)],
        [new("w1", 2, "msg_a"), new("w2", 9, "msg_b"), new("w3", 5, null)],
        ["count 2 w1", "count 9 w2"],
        [new("msg_a", 3, 8), new("msg_b", 9, 11)],
        [new(StrikeKind.Bridge, At + TimeSpan.FromSeconds(10.5))]);

    [Fact]
    public void Nothing_is_found_in_a_session_that_is_well() => Assert.Empty(All(Well));

    [Fact]
    public void A_turn_that_failed_though_nothing_of_its_box_was_struck_is_a_failed_turn() => Finds(FindingKind.FailedTurn, Well with { Struck = [] });

    [Fact]
    public void An_event_that_a_client_was_not_shown_is_missing() => Finds(FindingKind.Missing, Shown(log => log.RemoveAt(5)));

    [Fact]
    public void The_last_event_that_a_client_was_not_shown_is_missing() => Finds(FindingKind.Missing, Shown(log => log.RemoveAt(11)));

    [Fact]
    public void An_event_that_a_client_was_shown_twice_is_a_duplicate() => Finds(FindingKind.Duplicate, Shown(log => log.Insert(6, log[3])));

    [Fact]
    public void An_event_that_a_client_was_shown_too_late_is_reordered() => Finds(FindingKind.Reordered, Shown(log => (log[5], log[6]) = (log[6], log[5])));

    [Fact]
    public void An_event_that_a_client_was_shown_otherwise_than_it_is_kept_is_untrue() => Finds(FindingKind.Untrue, Shown(log => log[6] = log[6] with { Data = """{"part":"p1","offset":2,"text":"3 "}""" }));

    [Fact]
    public void An_event_that_a_client_was_shown_and_the_journal_has_lost_is_untrue() => Finds(FindingKind.Untrue, Shown(log => log.Add(Event(13, "agent.text", "msg_b", "{}"))));

    [Fact]
    public void A_journal_with_a_gap_is_found() => Finds(FindingKind.Missing, Kept(journal => journal.RemoveAt(6)));

    [Fact]
    public void An_accepted_message_that_is_not_in_the_journal_is_missing() => Finds(FindingKind.Missing, Well with { Asked = [.. Well.Asked, new("w4", 3, "msg_c")] });

    [Fact]
    public void A_prompt_that_became_two_messages_is_a_double_turn() => Finds(FindingKind.DoubleTurn, Kept(journal => journal[4] = Event(5, "message.queued", "msg_b", """{"text":"count 2 w1"}""")));

    [Fact]
    public void A_prompt_that_the_agent_was_given_twice_is_a_double_turn() => Finds(FindingKind.DoubleTurn, Well with { PromptsRun = [.. Well.PromptsRun, "count 9 w2"] });

    [Fact]
    public void A_message_that_was_started_twice_is_a_double_turn() => Finds(FindingKind.DoubleTurn, Kept(journal => journal.Insert(11, Event(12, "message.started", "msg_b", "{}"))));

    [Fact]
    public void A_message_without_an_end_is_stuck() => Finds(FindingKind.Stuck, Kept(journal => journal[10] = Event(11, "agent.text", "msg_b", """{"part":"p2","offset":0,"text":"1 "}""")));

    [Fact]
    public void A_message_with_two_ends_is_a_duplicate() => Finds(FindingKind.Duplicate, Kept(journal => journal[11] = Event(12, "message.completed", "msg_b", "{}")));

    [Fact]
    public void A_message_that_ran_beside_another_is_reordered() => Finds(FindingKind.Reordered, Kept(journal => (journal[7], journal[8]) = (journal[8] with { Seq = 8 }, journal[7] with { Seq = 9 })));

    [Fact]
    public void A_message_that_ran_before_an_earlier_one_is_reordered() => Finds(FindingKind.Reordered, Kept(journal =>
    {
        journal[1] = Event(2, "message.queued", "msg_b", """{"text":"count 9 w2"}""");
        journal[4] = Event(5, "message.queued", "msg_a", """{"text":"count 2 w1"}""");
    }));

    [Fact]
    public void A_completed_message_whose_words_are_not_all_there_is_missing_some() => Finds(FindingKind.Missing, Kept(journal => journal[6] = Event(7, "sandbox.silent", null, "{}")));

    [Fact]
    public void Words_that_a_message_says_twice_are_a_duplicate() => Finds(FindingKind.Duplicate, Kept(journal => journal[6] = journal[6] with { Data = """{"part":"p1","offset":0,"text":"1 2 "}""" }));

    [Fact]
    public void A_failed_message_whose_words_have_a_gap_is_missing_some() => Finds(FindingKind.Missing, Kept(journal => journal[9] = Event(10, "agent.text", "msg_b", """{"part":"p2","offset":0,"text":"2 "}""")));

    [Fact]
    public void A_message_that_is_said_to_be_completed_and_never_ran_is_untrue() => Finds(FindingKind.Untrue, Well with { PromptsRun = ["count 9 w2"] });

    [Fact]
    public void A_dispatched_message_without_a_run_in_the_history_is_missing_one() => Finds(FindingKind.Missing, Well with { Runs = [new("msg_a", 3, 8)] });

    [Fact]
    public void A_run_that_stands_twice_in_the_history_is_a_duplicate() => Finds(FindingKind.Duplicate, Well with { Runs = [.. Well.Runs, new("msg_b", 9, 11)] });

    [Fact]
    public void A_run_of_other_events_than_its_messages_is_untrue() => Finds(FindingKind.Untrue, Well with { Runs = [new("msg_a", 3, 8), new("msg_b", 9, 12)] });

    [Fact]
    public void Nothing_is_found_in_a_session_whose_text_was_merged_since_it_was_shown() => Assert.Empty(All(Merged()));

    [Theory]
    [InlineData("""{"part":"p1","offset":0,"text":"1 "}""")]
    [InlineData("""{"part":"p1","offset":0,"text":"1 2 3 "}""")]
    [InlineData("""{"part":"p1","offset":2,"text":"1 2 "}""")]
    [InlineData("""{"part":"p2","offset":0,"text":"1 2 "}""")]
    [InlineData("""{"part":"p1","offset":0,"text":"1 2 ","more":1}""")]
    public void A_merged_event_that_does_not_say_what_its_pieces_said_is_untrue(string data) => Finds(FindingKind.Untrue, Merged(whole => whole with { Data = data }));

    [Fact]
    public void A_merged_event_of_another_message_another_kind_or_another_time_is_untrue()
    {
        Finds(FindingKind.Untrue, Merged(whole => whole with { MessageId = "msg_b" }));
        Finds(FindingKind.Untrue, Merged(whole => whole with { Type = "agent.reasoning" }));
        Finds(FindingKind.Untrue, Merged(whole => whole with { At = whole.At + TimeSpan.FromSeconds(1) }));
    }

    [Fact]
    public void A_merged_event_that_covers_more_or_less_than_its_pieces_is_found()
    {
        Finds(FindingKind.Missing, Merged(whole => whole with { From = 5 }));
        Finds(FindingKind.Missing, Merged(whole => whole with { From = 7 }));
        Finds(FindingKind.Missing, Merged(whole => whole with { From = null }));
        Finds(FindingKind.Missing, Merged(whole => whole with { Seq = 8 }));
        Finds(FindingKind.Untrue, Merged(whole => whole with { Seq = 8 }, journal => journal.RemoveAt(6)));
    }

    [Fact]
    public void A_piece_of_what_was_merged_that_a_client_was_not_shown_is_missing()
    {
        var merged = Merged();
        Finds(FindingKind.Missing, merged with { Logs = [new("one", [.. Journal.Where(e => e.Seq != 6)])] });
        Finds(FindingKind.Missing, merged with { Logs = [new("one", [.. Journal.Where(e => e.Seq != 7)])] });
        Finds(FindingKind.Untrue, merged with { Logs = [new("one", [.. Journal.Select(e => e.Seq == 7 ? e with { Data = """{"part":"p1","offset":2,"text":"3 "}""" } : e)])] });
    }

    private static ShownEvent Event(long seq, string type, string? message, string data) => new(seq, At + TimeSpan.FromSeconds(seq), type, message, data);

    private static List<Finding> All(SessionEvidence session) => [.. LogCheck.Of(session), .. TurnCheck.Of(session), .. FailureCheck.Of(session)];

    private static void Finds(FindingKind kind, SessionEvidence session) =>
        Assert.Contains(All(session), finding => finding.Kind == kind);

    /// <summary>One of the clients was shown something else.</summary>
    private static SessionEvidence Shown(Action<List<ShownEvent>> change)
    {
        List<ShownEvent> log = [.. Journal];
        change(log);
        return Well with { Logs = [Well.Logs[0], new("another", log)] };
    }

    /// <summary>The two pieces that the first message said were merged, after everybody was shown them.</summary>
    private static SessionEvidence Merged(Func<ShownEvent, ShownEvent>? otherwise = null, Action<List<ShownEvent>>? change = null)
    {
        List<ShownEvent> journal = [.. Journal];
        var whole = journal[5] with { Seq = 7, From = 6, Data = """{"part":"p1","offset":0,"text":"1 2 "}""" };
        journal.RemoveRange(5, 2);
        journal.Insert(5, otherwise?.Invoke(whole) ?? whole);
        change?.Invoke(journal);
        return Well with { Journal = journal };
    }

    /// <summary>The journal is otherwise, and everybody was shown it so.</summary>
    private static SessionEvidence Kept(Action<List<ShownEvent>> change)
    {
        List<ShownEvent> journal = [.. Journal];
        change(journal);
        return Well with { Journal = journal, Settled = journal.Count, Logs = [new("one", journal)] };
    }
}
