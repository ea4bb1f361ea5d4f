using Coordinator.Modules.Sessions;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

/// <summary>How systems like this one have failed, each named after what happened there.</summary>
public sealed class LessonTests
{
    private static readonly SessionLimits Limits = SessionLimits.Default;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_terminal_event_is_lost_when_the_socket_drops_and_the_session_hangs__it_is_resent_and_ends_the_turn(bool hostFell)
    {
        var session = SessionDriver.Running();
        var message = session.Dispatched;
        session.Detach();
        session.Box("message.ended", message, """{"outcome":"completed"}"""); // on the broken link: it reaches nobody
        Assert.DoesNotContain("message.completed", session.Types);
        if (hostFell) session.Away(TimeSpan.FromMinutes(1));
        session.Attach(session.BoxId, 1, [new(message, KnownMessageState.Ended)]);
        session.BoxAt(session.N, "message.ended", message, """{"outcome":"completed"}""");
        Assert.Single(session.Types, "message.completed");
    }

    [Fact]
    public void A_message_is_sent_to_the_box_before_it_was_claimed__the_claim_is_durable_first()
    {
        var session = SessionDriver.WithPrompt();
        var create = session.Effects.Values.OfType<SessionEffect.CreateSandbox>().Single();
        session.Settle($"create:{create.Sandbox}", new EffectOutcome.SandboxCreated(SessionDriver.Handle(create)));
        session.Attach(create.Sandbox, create.Generation);
        session.AutoCommit = false;
        session.Box("boot.ready", null, """{"agent":{"name":"opencode","version":"1"},"resumed":false,"elapsedMs":5}""");
        Assert.Contains("messageDispatched", System.Text.Encoding.UTF8.GetString(session.InFlight!.Payload.Span), StringComparison.Ordinal);
        Assert.DoesNotContain(session.Sent, s => s.Frame is HostFrame.Prompt);
        session.Commit();
        Assert.Single(session.Sent, s => s.Frame is HostFrame.Prompt);
    }

    [Fact]
    public void A_claim_that_was_not_durable_when_the_host_fell_was_sent_to_nobody_and_one_that_was_goes_to_the_same_box_alone()
    {
        var session = SessionDriver.WithPrompt();
        session.MakeReady();
        var message = session.Dispatched;
        session.Crash();
        session.Attach(session.BoxId, 1);
        var prompts = session.Sent.Select(s => s.Frame).OfType<HostFrame.Prompt>().ToList();
        Assert.Equal([message, message], prompts.Select(p => p.Message)); // the box runs one id once
        Assert.Single(session.Types, "message.dispatched");
        Assert.Equal(1, session.Generation);
    }

    [Fact]
    public void Two_hundred_OK_while_the_box_boots_and_the_message_never_arrives__what_was_accepted_runs()
    {
        var session = SessionDriver.WithPrompt();
        var create = session.Effects.Values.OfType<SessionEffect.CreateSandbox>().Single();
        session.Settle($"create:{create.Sandbox}", new EffectOutcome.SandboxCreated(SessionDriver.Handle(create)));
        session.Attach(create.Sandbox, create.Generation);
        var (second, reply) = session.Prompt("while it boots");
        Assert.True(reply.IsSuccess);
        session.Crash();
        session.Attach(create.Sandbox, create.Generation);
        session.Box("boot.ready", null, """{"agent":{"name":"opencode","version":"1"},"resumed":false,"elapsedMs":5}""");
        session.Box("message.accepted", session.Dispatched);
        session.EndTurn();
        Assert.Equal(second, session.Dispatched);
    }

    [Fact]
    public void A_batch_of_follow_ups_loses_the_users_message__all_of_one_record_run_in_order()
    {
        var session = SessionDriver.Running();
        session.AutoCommit = false;
        var ids = Enumerable.Range(0, 5).Select(i => session.Prompt($"follow-up {i}").Id).ToList();
        while (session.InFlight is not null) session.Commit();
        session.AutoCommit = true;
        session.Crash();
        session.Attach(session.BoxId, 1, [new(session.Dispatched, KnownMessageState.Accepted)]);
        session.EndTurn();
        foreach (var id in ids)
        {
            Assert.Equal(id, session.Dispatched);
            session.Box("message.accepted", id);
            session.EndTurn();
        }

        Assert.Equal(6, session.Types.Count(t => t == "message.completed"));
    }

    [Fact]
    public void Stop_reaches_only_the_newest_run__it_reaches_the_one_that_runs_and_each_that_is_named()
    {
        var session = SessionDriver.Running();
        var running = session.Dispatched;
        var (second, _) = session.Prompt("second");
        var (third, _) = session.Prompt("third");
        session.Call(new SessionCommand.Cancel(SessionDriver.Ada, null));
        Assert.Equal(running, Assert.Single(session.Sent.Select(s => s.Frame).OfType<HostFrame.Cancel>()).Message);
        session.Call(new SessionCommand.Cancel(SessionDriver.Ada, second));
        session.EndTurn("cancelled");
        Assert.Equal(2, session.Types.Count(t => t == "message.cancelled"));
        Assert.Equal(third, session.Dispatched);
    }

    [Fact]
    public void A_viewers_open_tab_keeps_a_box_alive_for_weeks__looking_is_no_work()
    {
        var session = SessionDriver.Running();
        session.EndTurn();
        var until = session.Now + Limits.SandboxIdle + TimeSpan.FromMinutes(1);
        while (session.Now < until)
        {
            session.PassWithHeartbeats(TimeSpan.FromSeconds(30));
            session.Call(new SessionCommand.GetView());
            session.Call(new SessionCommand.Rename(SessionDriver.Ada, $"Looked at {session.Now}"));
        }

        Assert.Equal("idle", session.Shown.Last(e => e.GetProperty("type").GetString() == "sandbox.stopping").GetProperty("data").GetProperty("reason").GetString());
    }

    [Fact]
    public void Silence_is_taken_for_idleness__a_silent_box_with_nothing_to_do_is_asked_about_and_not_stopped()
    {
        var session = SessionDriver.Running();
        session.EndTurn();
        session.PassWithHeartbeats(Limits.SandboxIdle - TimeSpan.FromMinutes(1));
        session.Detach();
        session.PassByAlarms(TimeSpan.FromMinutes(2));
        Assert.DoesNotContain("sandbox.stopping", session.Types);
        Assert.Contains("sandbox.silent", session.Types);
        Assert.Contains(session.Effects.Values, e => e is SessionEffect.InspectSandbox);
    }

    [Fact]
    public void A_box_is_silently_recreated_and_40_minutes_of_work_are_gone__the_loss_is_told_and_the_workspace_kept()
    {
        var session = SessionDriver.Running();
        var lost = session.Dispatched;
        session.Detach();
        session.PassByAlarms(Limits.InspectAfter);
        session.SettleAll<SessionEffect.InspectSandbox>(new EffectOutcome.SandboxInspected(SandboxStatus.Stopped, "exit 137"));
        Assert.Contains("sandbox.lost", session.Types);
        Assert.True(Assert.Single(session.Effects.Values.OfType<SessionEffect.DestroySandbox>()).KeepData);
        session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Succeeded());
        Assert.DoesNotContain(session.Effects.Values, e => e is SessionEffect.CreateSandbox);
        (session.N, session.Spool) = (0, "spool-2");
        session.Prompt("go on");
        session.MakeReady();
        var prompt = session.Sent.Select(s => s.Frame).OfType<HostFrame.Prompt>().Last();
        Assert.NotEqual(lost, prompt.Message);
        Assert.True(prompt.SeedHistory);
    }

    [Fact]
    public void A_deadline_is_armed_only_after_a_provider_call_that_never_returned__it_stands_with_the_request()
    {
        var session = SessionDriver.WithPrompt();
        Assert.True(session.WakeAt <= session.Now + Limits.SandboxCreate);
        session.PassByAlarms(Limits.SandboxCreate);
        Assert.Contains("message.failed", session.Types);
        Assert.Single(session.Effects.Values.OfType<SessionEffect.CreateSandbox>()); // still under way
    }

    [Fact]
    public void Usage_beyond_the_end_is_dropped__a_box_that_is_being_stopped_still_pays()
    {
        var session = SessionDriver.Running();
        var credential = session.Credential(session.BoxId, 1);
        session.Call(new SessionCommand.Archive(SessionDriver.Ada));
        Assert.True(session.Call(new SessionCommand.RecordUsage(credential, new("demo/scripted", 10, 1, 0, 0, 0, 0.01m))).IsSuccess);
        Assert.Equal(0.01m, session.View.GetProperty("usage").GetProperty("costUsd").GetDecimal());
    }
}
