using System.Text;
using Coordinator.Modules.Sessions;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

public sealed class LifeTests
{
    private static string Status(SessionDriver session) => session.View.GetProperty("sandbox").GetProperty("status").GetString()!;

    [Fact]
    public void A_session_that_was_never_created_is_not_found() =>
        Assert.Equal("session_not_found", new SessionDriver().Prompt("hello").Reply.Problem!.Code);

    [Fact]
    public void Creating_again_with_the_same_parameters_answers_as_the_first_and_with_others_refuses()
    {
        var session = new SessionDriver();
        session.Create();
        Assert.True(session.Call(new SessionCommand.Create(SessionDriver.Ada, SessionDriver.Settings, "A session")).IsSuccess);
        Assert.Equal("session_exists", session.Call(new SessionCommand.Create(SessionDriver.Ada, SessionDriver.Settings with { Model = "other/model" }, "x")).Problem!.Code);
        Assert.Single(session.Types, "session.created");
    }

    [Fact]
    public void Archiving_ends_everything_and_leaves_no_box_and_no_data()
    {
        var session = SessionDriver.Running();
        session.Prompt("second");
        session.Call(new SessionCommand.Archive(SessionDriver.Ada));
        Assert.Equal(2, session.Types.Count(t => t == "message.cancelled"));
        var destroy = Assert.Single(session.Effects.Values.OfType<SessionEffect.DestroySandbox>());
        Assert.False(destroy.KeepData);
        session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Succeeded());
        session.SettleAll<SessionEffect.FlushRun>(new EffectOutcome.Succeeded());
        Assert.Equal("stopped", Status(session));
        Assert.Empty(session.Effects);
        session.Detach();
        Assert.True(session.Machine.CanHibernate);
        Assert.Null(session.WakeAt);
    }

    [Fact]
    public void The_view_that_is_journaled_is_the_one_that_the_session_tells_however_much_of_it_was_journaled_before()
    {
        var session = SessionDriver.Running();
        session.AutoCommit = false;
        for (var turn = 0; turn < 25; turn++)
        {
            session.EndTurn(turn % 3 == 0 ? "failed" : "completed");
            AssertJournalsItsView(session);
            session.Prompt($"turn \"{turn}\", {{ünïcode}}");
            AssertJournalsItsView(session);
            session.Box("message.accepted", session.Dispatched);
            AssertJournalsItsView(session);
        }

        Assert.Equal(21, session.View.GetProperty("messages").GetArrayLength());
    }

    private static void AssertJournalsItsView(SessionDriver session)
    {
        var journaled = Encoding.UTF8.GetString(session.InFlight!.View!.Value.Span);
        while (session.InFlight is not null) session.Commit();
        Assert.Equal(session.View.GetRawText(), journaled);
    }

    [Fact]
    public void Archiving_a_session_whose_box_was_stopped_before_releases_the_data_that_was_kept()
    {
        var session = Stopped();
        session.Call(new SessionCommand.Archive(SessionDriver.Ada));
        var purge = Assert.Single(session.Effects.Values.OfType<SessionEffect.DestroySandbox>());
        Assert.False(purge.KeepData);
        session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Succeeded());
        Assert.DoesNotContain(session.Effects.Values, e => e is SessionEffect.DestroySandbox);
    }

    [Fact]
    public void A_prompt_after_the_box_was_stopped_gets_a_new_box_and_tells_it_the_history_unless_it_remembers()
    {
        foreach (var remembers in new[] { false, true })
        {
            var session = Stopped();
            session.Spool = "spool-2";
            session.N = 0;
            session.Prompt("again");
            session.MakeReady(resumed: remembers);
            var prompt = session.Sent.Select(s => s.Frame).OfType<HostFrame.Prompt>().Last();
            Assert.Equal(!remembers, prompt.SeedHistory);
            Assert.Equal(2, session.View.GetProperty("sandbox").GetProperty("generation").GetInt32());
        }
    }

    [Fact]
    public void The_first_box_after_the_database_went_back_is_newer_than_every_one_that_the_lost_future_may_have_asked_for()
    {
        var session = Stopped();
        var before = session.View.GetProperty("sandbox").GetProperty("id").GetString();
        session.Incarnation = 217_000_000;
        session.Crash();
        session.Prompt("again");
        session.MakeReady();
        var box = session.View.GetProperty("sandbox");
        Assert.Equal(217_000_000, box.GetProperty("generation").GetInt32());
        Assert.NotEqual(before, box.GetProperty("id").GetString());
    }

    [Fact]
    public void A_boot_error_reaches_everybody_who_waits_with_its_own_code()
    {
        var session = SessionDriver.WithPrompt();
        session.Prompt("second");
        var create = session.Effects.Values.OfType<SessionEffect.CreateSandbox>().Single();
        session.Attach(create.Sandbox, create.Generation);
        session.Box("boot.failed", null, """{"code":"branch_not_found","detail":"There is no branch 'nope'."}""");
        var failures = session.Shown.Where(e => e.GetProperty("type").GetString() == "message.failed").ToList();
        Assert.Equal(2, failures.Count);
        Assert.All(failures, f => Assert.Equal("branch_not_found", f.GetProperty("data").GetProperty("code").GetString()));
        Assert.Contains("branch_not_found", session.View.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_agent_that_cannot_be_started_anew_fails_its_message_in_its_own_words_and_the_next_message_gets_another_box()
    {
        var session = SessionDriver.Running();
        var message = session.Dispatched;
        var next = session.Prompt("next").Id;

        session.Box("agent.failed", null, """{"code":"agent_start_failed","detail":"It ended with exit code 1."}""");
        session.EndTurn("failed", ""","code":"agent_start_failed","detail":"It ended with exit code 1." """);

        var failure = session.Shown.Single(e => e.GetProperty("type").GetString() == "message.failed");
        Assert.Equal(message.ToString(), failure.GetProperty("messageId").GetString());
        Assert.Equal("agent_start_failed", failure.GetProperty("data").GetProperty("code").GetString());
        Assert.Equal("It ended with exit code 1.", failure.GetProperty("data").GetProperty("detail").GetString());
        Assert.Contains("sandbox.stopping", session.Types);
        session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Succeeded());
        (session.Spool, session.N) = ("spool-2", 0);
        session.MakeReady();
        Assert.Equal(next, session.Dispatched);
        Assert.Equal(2, session.Generation);
    }

    [Fact]
    public void A_message_that_was_cancelled_stays_cancelled_when_its_agent_cannot_be_started_anew()
    {
        var session = SessionDriver.Running();
        session.Call(new SessionCommand.Cancel(SessionDriver.Ada, null));

        session.Box("agent.failed", null, """{"code":"agent_start_failed","detail":"It ended with exit code 1."}""");

        Assert.Contains("message.cancelled", session.Types);
        Assert.DoesNotContain("message.failed", session.Types);
    }

    [Fact]
    public void A_box_that_dies_while_it_boots_is_not_made_again_and_again()
    {
        var session = SessionDriver.WithPrompt();
        var create = session.Effects.Values.OfType<SessionEffect.CreateSandbox>().Single();
        session.Settle($"create:{create.Sandbox}", new EffectOutcome.SandboxCreated(SessionDriver.Handle(create)));
        session.PassByAlarms(SessionLimits.Default.InspectAfter);
        session.SettleAll<SessionEffect.InspectSandbox>(new EffectOutcome.SandboxInspected(SandboxStatus.Stopped, "exit 1"));
        session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Succeeded());
        var failure = session.Shown.Single(e => e.GetProperty("type").GetString() == "message.failed").GetProperty("data");
        Assert.Equal("boot_failed", failure.GetProperty("code").GetString());
        Assert.Contains("exit 1", failure.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Empty(session.Effects);
    }

    [Fact]
    public void The_session_is_usable_after_a_failed_boot()
    {
        var session = SessionDriver.WithPrompt();
        session.SettleAll<SessionEffect.CreateSandbox>(new EffectOutcome.Failed(new("sandbox_isolation_missing", "Install bubblewrap.", ProblemKind.Unprocessable), Retryable: false));
        session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Succeeded());
        Assert.True(session.Prompt("again").Reply.IsSuccess);
        Assert.Single(session.Effects.Values.OfType<SessionEffect.CreateSandbox>());
    }

    [Fact]
    public void A_destroy_waits_for_a_create_that_has_not_answered_so_that_no_box_is_left_behind()
    {
        var session = SessionDriver.WithPrompt();
        var create = session.Effects.Values.OfType<SessionEffect.CreateSandbox>().Single();
        session.Call(new SessionCommand.Archive(SessionDriver.Ada));
        Assert.DoesNotContain(session.Effects.Values, e => e is SessionEffect.DestroySandbox);
        session.Settle($"create:{create.Sandbox}", new EffectOutcome.SandboxCreated(SessionDriver.Handle(create)));
        Assert.NotNull(Assert.Single(session.Effects.Values.OfType<SessionEffect.DestroySandbox>()).Handle);
    }

    [Fact]
    public void Every_ended_message_that_was_dispatched_has_one_run_and_history_being_down_loses_none()
    {
        var session = SessionDriver.Running();
        session.EndTurn();
        session.Prompt("second");
        session.Box("message.accepted", session.Dispatched);
        session.EndTurn("failed", ",\"code\":\"model_error\",\"detail\":\"401\"");
        for (var i = 0; i < 3; i++)
        {
            session.SettleAll<SessionEffect.FlushRun>(new EffectOutcome.Failed(new("down", "down", ProblemKind.Unavailable), Retryable: true));
            session.PassByAlarms(TimeSpan.FromSeconds(10));
        }

        var runs = new List<Ports.Record.RunRecord>();
        while (session.Effects.Values.OfType<SessionEffect.FlushRun>().SingleOrDefault() is { } flush)
        {
            runs.Add(flush.Run);
            session.SettleAll<SessionEffect.FlushRun>(new EffectOutcome.Succeeded());
        }

        Assert.Equal([1, 2], runs.Select(r => r.Ordinal));
        Assert.Equal(["completed", "failed"], runs.Select(r => r.Outcome));
        Assert.All(runs, r => Assert.True(r.LastSeq > r.FirstSeq));
        Assert.Equal(2, session.Types.Count(t => t == "run.flushed"));
    }

    [Fact]
    public void Usage_is_added_to_the_message_that_runs_and_stands_in_its_run()
    {
        var session = SessionDriver.Running();
        session.Call(new SessionCommand.RecordUsage(session.Credential(session.BoxId, 1), new("demo/scripted", 100, 10, 0, 0, 0, 0.002m)));
        session.Call(new SessionCommand.RecordUsage(session.Credential(session.BoxId, 1), new("demo/scripted", 50, 5, 0, 0, 0, 0.001m)));
        session.EndTurn();
        var run = session.Effects.Values.OfType<SessionEffect.FlushRun>().Single().Run;
        Assert.Equal((150L, 15L, 0.003m), (run.Usage.InputTokens, run.Usage.OutputTokens, run.Usage.CostUsd));
    }

    [Fact]
    public void A_resent_error_is_stored_once()
    {
        var session = SessionDriver.Running();
        session.EndTurn("failed", ",\"code\":\"model_error\",\"detail\":\"401\"");
        session.BoxAt(session.N, "message.ended", session.Dispatched, """{"outcome":"failed","code":"model_error","detail":"401"}""");
        Assert.Equal(1, session.Types.Count(t => t == "message.failed"));
    }

    [Fact]
    public void The_failure_reason_is_there_after_a_reload()
    {
        var session = SessionDriver.Running();
        session.EndTurn("failed", ",\"code\":\"model_error\",\"detail\":\"The provider refused the key.\"");
        session.Crash();
        var failure = session.View.GetProperty("messages").EnumerateArray().Single().GetProperty("failure");
        Assert.Equal(("model_error", "The provider refused the key."), (failure.GetProperty("code").GetString(), failure.GetProperty("detail").GetString()));
    }

    private static SessionDriver Stopped()
    {
        var session = SessionDriver.Running();
        session.EndTurn();
        session.SettleAll<SessionEffect.FlushRun>(new EffectOutcome.Succeeded());
        session.PassWithHeartbeats(SessionLimits.Default.SandboxIdle);
        session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Succeeded());
        Assert.Equal("stopped", Status(session));
        return session;
    }
}
