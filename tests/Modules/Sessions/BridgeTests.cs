using Coordinator.Modules.Sessions;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

public sealed class BridgeTests
{
    private static SessionEffect.CreateSandbox Create(SessionDriver session) => session.Effects.Values.OfType<SessionEffect.CreateSandbox>().Single();

    [Fact]
    public void An_event_resent_after_a_lost_ack_reaches_the_journal_once()
    {
        var session = SessionDriver.Running();
        session.Box("agent.text", session.Dispatched, """{"part":"p","offset":0,"text":"a"}""");
        var shown = session.Shown.Count;
        session.BoxAt(session.N, "agent.text", session.Dispatched, """{"part":"p","offset":0,"text":"a"}""");
        session.BoxAt(1, "boot.ready");
        Assert.Equal(shown, session.Shown.Count);
    }

    [Fact]
    public void A_gap_in_the_numbers_closes_the_socket_and_changes_nothing()
    {
        var session = SessionDriver.Running();
        var shown = session.Shown.Count;
        session.BoxAt(session.N + 2, "agent.text", session.Dispatched, """{"part":"p","offset":0,"text":"a"}""");
        Assert.Equal(shown, session.Shown.Count);
        Assert.Equal((session.Link, LinkCloseReason.ProtocolError), session.ClosedLinks.Single());
    }

    [Fact]
    public void An_ack_is_sent_only_after_the_commit()
    {
        var session = SessionDriver.Running();
        session.AutoCommit = false;
        var acks = session.Sent.Count(s => s.Frame is HostFrame.Ack);
        session.Box("agent.text", session.Dispatched, """{"part":"p","offset":0,"text":"a"}""");
        Assert.Equal(acks, session.Sent.Count(s => s.Frame is HostFrame.Ack));
        session.Commit();
        Assert.Equal(session.N, session.Sent.Select(s => s.Frame).OfType<HostFrame.Ack>().Last().N);
    }

    [Fact]
    public void The_bridge_may_connect_before_the_create_call_returns()
    {
        var session = SessionDriver.WithPrompt();
        var create = Create(session);
        Assert.True(session.Attach(create.Sandbox, create.Generation).IsSuccess);
        session.Box("boot.ready", null, """{"agent":{"name":"opencode","version":"1"},"resumed":false,"elapsedMs":1}""");
        session.Settle($"create:{create.Sandbox}", new EffectOutcome.SandboxCreated(SessionDriver.Handle(create)));
        Assert.Equal("ready", session.View.GetProperty("sandbox").GetProperty("status").GetString());
    }

    [Fact]
    public void A_box_of_an_older_generation_or_with_a_wrong_token_is_refused()
    {
        var session = SessionDriver.Running();
        var wrong = session.Attach(session.BoxId, 1, hash: new byte[32]);
        Assert.Equal(ProblemKind.Unauthenticated, wrong.Problem!.Kind);
        Assert.Equal(ProblemKind.Gone, session.Attach(session.BoxId, 0).Problem!.Kind);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_forged_token_writes_no_record_whichever_box_it_names(int generation)
    {
        var session = SessionDriver.Running();
        session.AutoCommit = false;

        var refused = session.Call(new SessionCommand.AuthorizeBox(new(session.BoxId, generation, new byte[32])));

        Assert.Equal(ProblemKind.Unauthenticated, refused.Problem?.Kind);
        Assert.Null(session.InFlight);
    }

    [Fact]
    public void The_late_close_of_a_replaced_socket_clobbers_nothing()
    {
        var session = SessionDriver.Running();
        var old = session.Link;
        Assert.True(session.Attach(session.BoxId, 1, [new(session.Dispatched, KnownMessageState.Accepted)]).IsSuccess);
        Assert.Equal((old, LinkCloseReason.Replaced), session.ClosedLinks.Single());
        session.Detach(old);
        session.Pass(TimeSpan.FromSeconds(30));
        session.Box("agent.text", session.Dispatched, """{"part":"p","offset":0,"text":"a"}""");
        Assert.Equal("agent.text", session.Types.Last());
    }

    [Fact]
    public void A_prompt_that_no_event_confirmed_is_resent_after_a_reconnect_and_one_that_was_is_not()
    {
        var session = SessionDriver.WithPrompt();
        session.MakeReady();
        session.Detach();
        session.Attach(session.BoxId, 1);
        Assert.Equal(2, session.Sent.Select(s => s.Frame).OfType<HostFrame.Prompt>().Count());
        session.Box("message.accepted", session.Dispatched);
        session.Detach();
        session.Attach(session.BoxId, 1, [new(session.Dispatched, KnownMessageState.Accepted)]);
        Assert.Equal(2, session.Sent.Select(s => s.Frame).OfType<HostFrame.Prompt>().Count());
    }

    [Fact]
    public void A_box_s_link_is_told_of_a_prompt_once_while_it_is_made_durable_and_has_it_only_then()
    {
        var session = SessionDriver.Running();
        session.EndTurn();
        session.Expected.Clear();
        session.AutoCommit = false;
        var (next, _) = session.Prompt("next");
        Assert.Equal([(session.Link, "demo/scripted")], session.Expected);
        Assert.NotEqual(next, session.Dispatched);

        session.Commit();
        Assert.Equal(next, session.Dispatched);
        session.AutoCommit = true;
        session.Box("message.accepted", next);
        session.Detach();
        session.Attach(session.BoxId, 1, [new(next, KnownMessageState.Accepted)]);
        session.Box("message.ended", next, """{"outcome":"completed"}""");
        Assert.Single(session.Expected);
    }

    [Fact]
    public void A_link_expects_no_prompt_that_something_else_holds_up()
    {
        var (session, forgotten) = (SessionDriver.Running(), new MessageId(PrefixedId.Derive("test", "of a future that was lost")));
        session.EndTurn();
        session.Detach();
        session.Attach(session.BoxId, 1, [new(session.Dispatched, KnownMessageState.Ended), new(forgotten, KnownMessageState.Accepted)]);
        session.Expected.Clear();

        session.Prompt("next");
        Assert.Empty(session.Expected);
    }

    [Fact]
    public void A_box_that_works_on_what_a_restore_forgot_is_told_to_stop_and_is_asked_for_the_next_message_once_it_has()
    {
        var (session, forgotten) = (SessionDriver.Running(), new MessageId(PrefixedId.Derive("test", "of a future that was lost")));
        session.EndTurn();
        session.Detach();
        session.Attach(session.BoxId, 1, [new(session.Dispatched, KnownMessageState.Ended), new(forgotten, KnownMessageState.Accepted)]);
        Assert.Equal(forgotten, session.Sent.Select(s => s.Frame).OfType<HostFrame.Cancel>().Single().Message);

        var (next, _) = session.Prompt("next");
        session.Box("agent.text", forgotten, """{"part":"p","offset":0,"text":"a"}""");
        Assert.NotEqual(next, session.Dispatched);

        session.Box("message.ended", forgotten, """{"outcome":"cancelled"}""");
        Assert.Equal(next, session.Dispatched);
        Assert.Single(session.Sent, s => s.Frame is HostFrame.Cancel);
        Assert.DoesNotContain(session.Shown, e => e.TryGetProperty("messageId", out var of) && of.GetString() == forgotten.ToString());
    }

    [Fact]
    public void A_box_that_works_already_on_what_is_about_to_be_asked_of_it_again_is_let_go_on()
    {
        var session = SessionDriver.Running();
        var (queued, _) = session.Prompt("second");
        session.Detach();
        session.Attach(session.BoxId, 1, [new(session.Dispatched, KnownMessageState.Ended), new(queued, KnownMessageState.Accepted)]);

        session.EndTurn();
        session.Box("agent.text", queued, """{"part":"p","offset":0,"text":"a"}""");
        session.Box("message.ended", queued, """{"outcome":"completed"}""");

        Assert.Equal(["message.dispatched", "message.started", "agent.text", "message.completed"], session.Shown.Where(e => e.TryGetProperty("messageId", out var of) && of.GetString() == queued.ToString()).Select(e => e.GetProperty("type").GetString()).Skip(1));
        Assert.NotEqual(queued, session.Dispatched);
        Assert.DoesNotContain(session.Sent, s => s.Frame is HostFrame.Cancel);
    }

    [Fact]
    public void A_box_is_asked_again_for_what_it_says_has_ended_since_its_word_of_that_may_have_come_before_the_session_was_waiting_for_it()
    {
        var session = SessionDriver.Running();
        var (queued, _) = session.Prompt("second");
        session.Box("message.ended", queued, """{"outcome":"completed"}""");
        session.EndTurn();
        Assert.Equal(queued, session.Dispatched);
        session.Detach();
        session.Attach(session.BoxId, 1, [new(queued, KnownMessageState.Ended)]);
        Assert.Equal(2, session.Sent.Select(s => s.Frame).OfType<HostFrame.Prompt>().Count(prompt => prompt.Message == queued));

        session.Box("message.ended", queued, """{"outcome":"completed"}""");
        Assert.Equal(queued.ToString(), Last(session, "message.completed").GetProperty("messageId").GetString());
    }

    [Fact]
    public void What_a_box_works_on_already_and_its_sender_takes_back_before_it_is_asked_for_again_is_cancelled_there_too()
    {
        var session = SessionDriver.Running();
        var (queued, _) = session.Prompt("second");
        session.Detach();
        session.Attach(session.BoxId, 1, [new(session.Dispatched, KnownMessageState.Ended), new(queued, KnownMessageState.Accepted)]);

        session.Call(new SessionCommand.Cancel(SessionDriver.Ada, queued));

        Assert.Equal(queued, session.Sent.Select(s => s.Frame).OfType<HostFrame.Cancel>().Single().Message);
    }

    [Fact]
    public void A_bridge_that_restarts_mid_prompt_ends_the_prompt_as_outcome_unknown()
    {
        var session = SessionDriver.Running();
        session.Detach();
        session.Attach(session.BoxId, 1, [new(session.Dispatched, KnownMessageState.Unknown)]);
        Assert.Equal("outcome_unknown", Last(session, "message.failed").GetProperty("data").GetProperty("code").GetString());
    }

    [Fact]
    public void A_box_with_a_new_spool_that_does_not_know_its_message_interrupts_it()
    {
        var session = SessionDriver.Running();
        session.Detach();
        session.Spool = "spool-2";
        session.N = 0;
        session.Attach(session.BoxId, 1);
        Assert.Contains("events.lost", session.Types);
        Assert.Equal("interrupted", Last(session, "message.failed").GetProperty("data").GetProperty("code").GetString());
        Assert.Equal(0, session.Sent.Select(s => s.Frame).OfType<HostFrame.Welcome>().Last().AckedN);
    }

    [Fact]
    public void A_message_is_never_dispatched_to_another_generation()
    {
        var session = SessionDriver.Running();
        var message = session.Dispatched;
        session.Detach();
        session.Pass(TimeSpan.FromSeconds(6));
        session.SettleAll<SessionEffect.InspectSandbox>(new EffectOutcome.SandboxInspected(SandboxStatus.NotFound, null));
        session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Succeeded());
        Assert.Equal("interrupted", Last(session, "message.failed").GetProperty("data").GetProperty("code").GetString());
        Assert.Single(session.Sent.Select(s => s.Frame).OfType<HostFrame.Prompt>(), p => p.Message == message);
        Assert.DoesNotContain(session.Effects.Values, e => e is SessionEffect.CreateSandbox);
    }

    [Fact]
    public void An_unknown_kind_or_one_of_another_message_is_acknowledged_and_not_shown()
    {
        var session = SessionDriver.Running();
        var shown = session.Shown.Count;
        session.Box("sandbox.requested", null, """{"forged":true}""");
        session.Box("agent.text", new MessageId(Guid.Empty), """{"part":"p","offset":0,"text":"of another"}""");
        session.Box("agent.newer", session.Dispatched);
        Assert.Equal(shown, session.Shown.Count);
        Assert.Equal(session.N, session.Sent.Select(s => s.Frame).OfType<HostFrame.Ack>().Last().N);
    }

    [Fact]
    public void A_hello_that_knows_the_message_counts_as_its_start_so_no_deadline_kills_a_healthy_turn()
    {
        var session = SessionDriver.WithPrompt();
        session.MakeReady();
        session.Detach();
        session.Attach(session.BoxId, 1, [new(session.Dispatched, KnownMessageState.Accepted)]);
        session.PassWithHeartbeats(TimeSpan.FromMinutes(5));
        Assert.Contains("message.started", session.Types);
        Assert.Equal("ready", session.View.GetProperty("sandbox").GetProperty("status").GetString());
    }

    [Fact]
    public void A_late_inspection_of_an_older_box_does_not_touch_the_next()
    {
        var session = SessionDriver.Running();
        session.Detach();
        session.Pass(TimeSpan.FromSeconds(6));
        var inspect = session.Effects.Single(e => e.Value is SessionEffect.InspectSandbox).Key;
        session.Call(new SessionCommand.Cancel(SessionDriver.Ada, null));
        session.PassByAlarms(TimeSpan.FromSeconds(15));
        session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Succeeded());
        session.Prompt("next");
        session.SettleAll<SessionEffect.CreateSandbox>(new EffectOutcome.SandboxCreated(new("fake", "another", null)));
        session.Settle(inspect, new EffectOutcome.SandboxInspected(SandboxStatus.NotFound, null));
        Assert.DoesNotContain("sandbox.lost", session.Types);
    }

    [Fact]
    public void Text_that_is_no_Unicode_does_not_stop_the_stream()
    {
        var session = SessionDriver.Running();
        session.Box("message.ended", session.Dispatched, """{"outcome":"failed","code":"x","detail":"\ud800"}""");
        Assert.Equal("message.failed", session.Types.Last(t => t != "run.flushed"));
    }

    [Theory]
    [InlineData("agent.text", """{"\ud800":0}""")]
    [InlineData("tool.started", """{"callId":"c","\udfff":"\ud800"}""")]
    [InlineData("permission.asked", """{"permissionId":"per_00000000000000000000000007","permission":"bash","patterns":["\ud800"],"title":"\ud800","\ud800":0}""")]
    [InlineData("environment.detected", """{"environment":{"commit":"\ud800"}}""")]
    [InlineData("environment.detected", """{"environment":{"\ud800":1,"\ud801":1}}""")]
    [InlineData("boot.phase", """{"phase":"clone","\ud800":0}""")]
    [InlineData("agent.failing", """{"\ud800":0}""")]
    public void Neither_a_name_nor_a_text_that_is_no_Unicode_stops_the_stream(string kind, string data)
    {
        var session = SessionDriver.Running();
        session.Box(kind, session.Dispatched, data);
        session.Away(TimeSpan.FromSeconds(1));
        session.Attach(session.BoxId, 1, [new(session.Dispatched, KnownMessageState.Accepted)]);
        session.Box(kind, session.Dispatched, data);
        session.Box("message.ended", session.Dispatched, """{"outcome":"completed","\ud800\ud800":0}""");

        Assert.Equal("message.completed", session.Types.Last(t => t != "run.flushed"));
        Assert.Equal(session.N, session.Sent.Select(s => s.Frame).OfType<HostFrame.Ack>().Last().N);
        Assert.All(session.Shown, e => Assert.DoesNotContain("\\ud", e.GetRawText(), StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("""{"a":"\ud800"}""", """{"a":"\ufffd"}""")]
    [InlineData("""{"\uDFFF":"x"}""", """{"\ufffd":"x"}""")]
    [InlineData("""{"a":"\ud83e\udd8a and \uD83E\uDD8A"}""", """{"a":"\ud83e\udd8a and \uD83E\uDD8A"}""")]
    [InlineData("""{"a":"\udd8a\ud83e"}""", """{"a":"\ufffd\ufffd"}""")]
    [InlineData("""{"a":"\ud83e\ud83e\udd8a"}""", """{"a":"\ufffd\ud83e\udd8a"}""")]
    [InlineData("""{"a":"\ud83e","b":"\udd8a"}""", """{"a":"\ufffd","b":"\ufffd"}""")]
    [InlineData("""{"a":"\ud83e\u0041","b":"\ud83e\n\udd8a"}""", """{"a":"\ufffd\u0041","b":"\ufffd\n\ufffd"}""")]
    [InlineData("""{"a":"C:\\ud800 \\\ud800"}""", """{"a":"C:\\ud800 \\\ufffd"}""")]
    [InlineData("""{"a":"\u001b[0m \"ud800\""}""", """{"a":"\u001b[0m \"ud800\""}""")]
    public void Half_a_character_is_shown_as_one_that_is_unknown_and_as_long(string data, string shown)
    {
        var session = SessionDriver.Running();
        session.Box("plan.updated", session.Dispatched, data);
        Assert.Equal(shown, Last(session, "plan.updated").GetProperty("data").GetRawText());
    }

    [Fact]
    public void A_box_that_sends_more_than_its_window_holds_is_cut_off_though_its_events_are_few()
    {
        var session = SessionDriver.Running();
        session.AutoCommit = false;
        var data = $$"""{"part":"p","offset":0,"text":"{{new string('a', 60_000)}}"}""";
        for (var i = 0; i < 1_000 && session.ClosedLinks.Count == 0; i++) session.Box("agent.text", session.Dispatched, data);
        Assert.Equal(LinkCloseReason.ProtocolError, session.ClosedLinks.Single().Reason);
        Assert.InRange(session.N, 2, 200);
    }

    [Fact]
    public void A_box_is_not_cut_off_for_what_people_said_meanwhile()
    {
        var session = SessionDriver.Running();
        session.AutoCommit = false;
        var text = new string('<', SessionLimits.Default.PromptBytes);
        var queued = session.Prompt(text).Id;
        for (var said = 0; said <= 2 * BridgeWindow.Default.Bytes; said += text.Length) session.Call(new SessionCommand.EditMessage(SessionDriver.Ada, queued, text));
        session.Box("agent.text", session.Dispatched, """{"part":"p1","offset":0,"text":"word"}""");

        Assert.Empty(session.ClosedLinks);
    }

    [Fact]
    public void A_box_that_ignores_its_window_is_cut_off()
    {
        var session = SessionDriver.Running();
        session.AutoCommit = false;
        for (var i = 0; i < 5_000 && session.ClosedLinks.Count == 0; i++) session.Box("agent.text", session.Dispatched, """{"part":"p","offset":0,"text":"a"}""");
        Assert.Equal(LinkCloseReason.ProtocolError, session.ClosedLinks.Single().Reason);
        Assert.True(session.N < 4_100);
    }

    [Fact]
    public void A_late_completion_does_not_overwrite_cancelled()
    {
        var session = SessionDriver.Running();
        var message = session.Dispatched;
        session.Call(new SessionCommand.Cancel(SessionDriver.Ada, null));
        session.Box("message.ended", message, """{"outcome":"cancelled"}""");
        session.Box("message.ended", message, """{"outcome":"completed"}""");
        Assert.Equal(1, session.Types.Count(t => t is "message.cancelled" or "message.completed"));
    }

    private static System.Text.Json.JsonElement Last(SessionDriver session, string type) => session.Shown.Last(e => e.GetProperty("type").GetString() == type);

    [Fact]
    public void A_host_that_may_have_been_fenced_neither_welcomes_a_box_nor_turns_it_away_before_a_commit()
    {
        var session = SessionDriver.Running();
        session.AutoCommit = false;
        var welcomes = session.Sent.Count(s => s.Frame is HostFrame.Welcome);
        Assert.Throws<KeyNotFoundException>(() => session.Attach(session.BoxId, 1, [new(session.Dispatched, KnownMessageState.Accepted)]));
        Assert.NotNull(session.InFlight);
        Assert.Equal(welcomes, session.Sent.Count(s => s.Frame is HostFrame.Welcome));
        session.Commit();
        Assert.Equal(welcomes + 1, session.Sent.Count(s => s.Frame is HostFrame.Welcome));

        var refused = session.Call(new SessionCommand.AuthorizeBox(session.Credential(session.BoxId, 0)));
        Assert.Equal(default, refused);
        Assert.NotNull(session.InFlight);
        session.Commit();
        Assert.Equal(ProblemKind.Gone, session.Replies.Values.Last().Problem!.Kind);
    }
}
