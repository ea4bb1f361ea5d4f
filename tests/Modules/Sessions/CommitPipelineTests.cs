using Coordinator.Modules.Sessions;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

public sealed class CommitPipelineTests
{
    [Fact]
    public void Nothing_is_replied_or_shown_before_it_is_durable()
    {
        var session = new SessionDriver { AutoCommit = false };
        session.Create();

        Assert.NotNull(session.InFlight);
        Assert.Empty(session.Replies);
        Assert.Empty(session.Shown);

        session.Commit();
        Assert.Single(session.Replies);
        Assert.Equal(["session.created"], session.Types);
    }

    [Fact]
    public void One_append_is_in_flight_and_what_comes_meanwhile_gathers_into_the_next_record()
    {
        var session = new SessionDriver();
        session.Create();
        session.AutoCommit = false;
        session.Prompt("one");
        session.Prompt("two");
        session.Prompt("three");
        session.Commit();
        session.Commit();

        Assert.Null(session.InFlight);
        Assert.Equal(3, session.Journal.Count);
        Assert.Equal(3, session.Types.Count(t => t == "message.queued"));
    }

    [Fact]
    public void However_much_is_called_at_once_no_record_is_larger_than_a_journal_takes()
    {
        var session = new SessionDriver();
        session.Create();
        session.AutoCommit = false;
        var text = new string('<', SessionLimits.Default.PromptBytes);
        var messages = Enumerable.Range(0, 60).Select(_ => session.Prompt(text).Id).ToList();
        foreach (var message in messages) session.Call(new SessionCommand.EditMessage(SessionDriver.Ada, message, text));
        var records = session.Journal.Count;
        for (; session.InFlight is { } append; session.Commit())
        {
            Assert.InRange(append.Payload.Length, 1, 8 * 1024 * 1024);
            Assert.Equal(session.Replies.Count - 1, session.Types.Count(t => t is "message.queued" or "message.edited"));
        }

        Assert.InRange(session.Journal.Count - records, 2, 20);
        Assert.Equal(121, session.Replies.Values.Count(reply => reply.IsSuccess));
        Assert.Equal(Enumerable.Range(1, session.Shown.Count).Select(i => (long)i), session.Shown.Select(e => e.GetProperty("seq").GetInt64()));
        session.AutoCommit = true;
        var view = session.View.GetRawText();
        session.Crash();
        Assert.Equal(view, session.View.GetRawText());
    }

    [Fact]
    public void A_refusal_waits_for_the_commit_of_what_it_stands_on()
    {
        var session = new SessionDriver();
        session.Create();
        session.AutoCommit = false;
        session.Call(new SessionCommand.Archive(SessionDriver.Ada));
        var replies = session.Replies.Count;
        session.Prompt("too late");
        Assert.Equal(replies, session.Replies.Count);

        session.Commit();
        Assert.Equal("session_archived", session.Replies[session.Replies.Keys.Max()].Problem?.Code);
    }

    [Fact]
    public void Effects_start_only_from_committed_state()
    {
        var session = new SessionDriver();
        session.Create();
        session.AutoCommit = false;
        session.Prompt("work");
        Assert.Empty(session.Effects);
        session.Commit();
        Assert.Single(session.Effects);
    }

    [Fact]
    public void After_a_crash_the_journal_is_folded_and_the_missing_effect_is_asked_for_again()
    {
        var session = SessionDriver.WithPrompt();
        var before = session.Effects.Keys.Single();
        session.Crash();
        Assert.Equal(before, session.Effects.Keys.Single());
    }

    [Fact]
    public void While_anything_is_unfinished_the_head_is_never_without_a_wake_up()
    {
        var session = new SessionDriver { AutoCommit = false };
        session.Create();
        Assert.Null(session.InFlight!.WakeAt);
        session.Commit();
        session.Prompt("work");
        Assert.NotNull(session.InFlight!.WakeAt);
    }

    [Fact]
    public void While_a_turn_streams_its_wake_up_stays_as_it_is_from_append_to_append()
    {
        var session = SessionDriver.Running();
        session.AutoCommit = false;
        var wakeUps = new HashSet<DateTimeOffset?>();
        for (var i = 0; i < 10; i++)
        {
            session.Pass(TimeSpan.FromMilliseconds(100));
            session.Box("agent.text", session.Dispatched, """{"part":"p1","offset":0,"text":"word"}""");
            wakeUps.Add(session.InFlight!.WakeAt);
            session.Commit();
        }

        var latest = SessionLimits.Default.TurnCheck * 1.25;
        Assert.InRange(Assert.Single(wakeUps)!.Value, session.Now + SessionLimits.Default.TurnCheck, session.Now + latest);
    }

    [Fact]
    public void The_event_numbers_have_no_gap_and_the_times_never_go_back()
    {
        var session = SessionDriver.Running();
        session.EndTurn();
        Assert.Equal(Enumerable.Range(1, session.Shown.Count).Select(i => (long)i), session.Shown.Select(e => e.GetProperty("seq").GetInt64()));
        var times = session.Shown.Select(e => e.GetProperty("at").GetDateTimeOffset()).ToList();
        Assert.Equal(times.Order(), times);
    }

    [Fact]
    public void While_an_append_is_under_way_no_timer_is_set_for_what_it_decides()
    {
        var session = SessionDriver.WithPrompt();
        session.AutoCommit = false;
        session.Pass(SessionLimits.Default.SandboxCreate);
        Assert.NotNull(session.InFlight);
        Assert.Null(session.WakeAt);
        session.Commit();
        Assert.NotNull(session.WakeAt);
    }
}
