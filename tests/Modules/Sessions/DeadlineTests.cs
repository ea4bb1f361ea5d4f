using Coordinator.Modules.Sessions;
using Coordinator.Modules.Sessions.Decisions;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

/// <summary>The table of deadlines, row by row: what waits too long, and what then happens.</summary>
public sealed class DeadlineTests
{
    private static readonly SessionLimits Limits = SessionLimits.Default;

    private static string Failure(SessionDriver session) =>
        session.Shown.Last(e => e.GetProperty("type").GetString() == "message.failed").GetProperty("data").GetProperty("code").GetString()!;

    private static string Status(SessionDriver session) => session.View.GetProperty("sandbox").GetProperty("status").GetString()!;

    [Fact]
    public void Every_row_has_a_name_of_its_own() => Assert.Equal(Deadlines.Table.Count, Deadlines.Table.Select(row => row.Name).Distinct().Count());

    [Fact]
    public void Requested_and_never_answered_gives_up_and_says_why()
    {
        var session = SessionDriver.WithPrompt();
        session.PassByAlarms(Limits.SandboxCreate);
        Assert.Equal("sandbox_unavailable", Failure(session));
        Assert.Equal("stopping", Status(session));
    }

    [Fact]
    public void A_provider_without_room_is_told_at_once_by_its_own_code_and_again_when_it_is_given_up()
    {
        var session = SessionDriver.WithPrompt();
        var full = new EffectOutcome.Failed(new("sandbox_full", "There is no room for another box. Archive a session that has one.", ProblemKind.Unavailable), Retryable: true);
        var until = session.Now + Limits.SandboxCreate;
        while (session.Now < until)
        {
            session.SettleAll<SessionEffect.CreateSandbox>(full);
            session.PassByAlarms(TimeSpan.FromSeconds(1));
        }

        var waiting = Assert.Single(session.Shown, e => e.GetProperty("type").GetString() == "sandbox.booting").GetProperty("data");
        Assert.Equal(("create", "progress", "sandbox_full"), (waiting.GetProperty("phase").GetString(), waiting.GetProperty("status").GetString(), waiting.GetProperty("code").GetString()));
        Assert.Equal("sandbox_full", Failure(session));
        var failure = session.View.GetProperty("messages")[0].GetProperty("failure");
        Assert.Equal("sandbox_full", failure.GetProperty("code").GetString());
        Assert.Contains("Archive a session", failure.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Room_that_comes_in_time_is_taken_and_nothing_fails()
    {
        var session = SessionDriver.WithPrompt();
        session.SettleAll<SessionEffect.CreateSandbox>(new EffectOutcome.Failed(new("sandbox_full", "No room.", ProblemKind.Unavailable), Retryable: true));
        session.PassByAlarms(TimeSpan.FromSeconds(1));
        session.MakeReady();
        session.Box("message.accepted", session.Dispatched);
        session.EndTurn();
        Assert.Contains("message.completed", session.Types);
    }

    [Fact]
    public void A_transient_failure_of_create_is_retried_with_backoff()
    {
        var session = SessionDriver.WithPrompt();
        var failed = new EffectOutcome.Failed(new("provider_down", "503", ProblemKind.Unavailable), Retryable: true);
        session.SettleAll<SessionEffect.CreateSandbox>(failed);
        Assert.Empty(session.Effects);
        session.PassByAlarms(TimeSpan.FromSeconds(1));
        Assert.Single(session.Effects);
        session.SettleAll<SessionEffect.CreateSandbox>(failed);
        session.PassByAlarms(TimeSpan.FromSeconds(1));
        Assert.Empty(session.Effects);
        session.PassByAlarms(TimeSpan.FromSeconds(1));
        Assert.Single(session.Effects);
    }

    [Fact]
    public void Booting_and_never_calling_back_gives_up()
    {
        var session = SessionDriver.WithPrompt();
        var create = session.Effects.Values.OfType<SessionEffect.CreateSandbox>().Single();
        session.Settle($"create:{create.Sandbox}", new EffectOutcome.SandboxCreated(SessionDriver.Handle(create)));
        session.PassByAlarms(Limits.SandboxConnect);
        Assert.Equal("boot_timeout", Failure(session));
    }

    [Fact]
    public void An_interrupted_start_does_not_stay_starting_for_ever()
    {
        var session = SessionDriver.WithPrompt();
        var create = session.Effects.Values.OfType<SessionEffect.CreateSandbox>().Single();
        session.Attach(create.Sandbox, create.Generation);
        session.Crash();
        session.PassByAlarms(Limits.SandboxBoot + Limits.SandboxGiveUp);
        Assert.DoesNotContain(Status(session), new[] { "requested", "booting", "connected", "silent" });
        Assert.Contains("message.failed", session.Types);
    }

    [Fact]
    public void A_box_without_a_socket_is_asked_about_and_then_silent_and_at_last_given_up()
    {
        var session = SessionDriver.Running();
        session.Detach();
        session.PassByAlarms(Limits.InspectAfter);
        Assert.Contains(session.Effects.Values, e => e is SessionEffect.InspectSandbox);
        session.SettleAll<SessionEffect.InspectSandbox>(new EffectOutcome.SandboxInspected(SandboxStatus.Running, null));
        session.PassByAlarms(Limits.SandboxSilence);
        Assert.Equal("silent", Status(session));
        session.PassByAlarms(Limits.SandboxGiveUp);
        Assert.Equal("lost", Status(session));
        Assert.Equal("interrupted", Failure(session));
    }

    [Fact]
    public void Lost_is_not_said_while_the_provider_says_that_the_box_runs()
    {
        var session = SessionDriver.Running();
        session.Detach();
        session.PassByAlarms(Limits.SandboxSilence + TimeSpan.FromMinutes(1));
        session.SettleAll<SessionEffect.InspectSandbox>(new EffectOutcome.SandboxInspected(SandboxStatus.Unreachable, null));
        Assert.DoesNotContain("sandbox.lost", session.Types);
    }

    [Fact]
    public void A_reconnect_refreshes_the_heartbeat_so_the_old_alarm_kills_nothing()
    {
        var session = SessionDriver.Running();
        var box = session.Sent.Select(s => s.Frame).OfType<HostFrame.Prompt>().Single().Message;
        session.Detach();
        session.Pass(TimeSpan.FromSeconds(44));
        var create = session.BoxId;
        session.Attach(create, 1, [new(box, KnownMessageState.Accepted)]);
        session.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal("ready", Status(session));
        Assert.DoesNotContain("sandbox.silent", session.Types);
    }

    [Fact]
    public void A_quiet_long_tool_call_is_not_idleness()
    {
        var session = SessionDriver.Running();
        for (var i = 0; i < 200; i++)
        {
            session.Pass(TimeSpan.FromSeconds(30));
            session.Step(new SessionInput.BridgeReceived(session.Link, new BoxFrame.Heartbeat(true, 1, 1)));
        }

        Assert.Equal("ready", Status(session));
    }

    [Fact]
    public void A_ready_box_with_nothing_to_do_is_stopped_and_its_workspace_kept()
    {
        var session = SessionDriver.Running();
        session.EndTurn();
        for (var i = 0; i < 31; i++)
        {
            session.Pass(TimeSpan.FromSeconds(30));
            session.Step(new SessionInput.BridgeReceived(session.Link, new BoxFrame.Heartbeat(false, 1, 1)));
        }

        var destroy = Assert.Single(session.Effects.Values.OfType<SessionEffect.DestroySandbox>());
        Assert.True(destroy.KeepData);
        session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Succeeded());
        Assert.Equal("stopped", Status(session));
    }

    [Fact]
    public void A_stop_that_fails_is_retried_until_it_is_confirmed()
    {
        var session = SessionDriver.Running();
        session.Call(new SessionCommand.Archive(SessionDriver.Ada));
        for (var i = 0; i < 5; i++)
        {
            session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Failed(new("down", "down", ProblemKind.Unavailable), Retryable: true));
            session.PassByAlarms(TimeSpan.FromSeconds(20));
        }

        session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Succeeded());
        Assert.Equal("stopped", Status(session));
        Assert.Null(session.WakeAt is { } wake && wake <= session.Now ? wake : null);
    }

    [Fact]
    public void A_turn_that_does_not_stop_when_asked_loses_its_box_and_ends_as_cancelled()
    {
        var session = SessionDriver.Running();
        session.Call(new SessionCommand.Cancel(SessionDriver.Ada, null));
        Assert.Contains(session.Sent, s => s.Frame is HostFrame.Cancel);
        session.PassByAlarms(Limits.MessageCancel);
        Assert.Contains("message.cancelled", session.Types);
        Assert.Equal("stopping", Status(session));
    }

    [Fact]
    public void A_turn_has_an_end_even_when_the_agent_has_none()
    {
        var session = SessionDriver.Running();
        var until = session.Now + Limits.MessageTurn + Limits.MessageCancel;
        while (session.Now < until)
        {
            session.Pass(TimeSpan.FromSeconds(30));
            session.Step(new SessionInput.BridgeReceived(session.Link, new BoxFrame.Heartbeat(true, 1, 1)));
        }

        Assert.Equal("deadline", session.Shown.Last(e => e.GetProperty("type").GetString() == "message.cancelled").GetProperty("data").GetProperty("reason").GetString());
    }

    [Fact]
    public void A_dispatched_message_that_the_box_does_not_take_is_interrupted()
    {
        var session = SessionDriver.WithPrompt();
        session.MakeReady();
        for (var i = 0; i < 5; i++)
        {
            session.Pass(TimeSpan.FromSeconds(30));
            session.Step(new SessionInput.BridgeReceived(session.Link, new BoxFrame.Heartbeat(true, 1, 1)));
        }

        Assert.Equal("interrupted", Failure(session));
    }

    [Fact]
    public void A_message_behind_a_box_that_cannot_be_ended_fails_in_bounded_time()
    {
        var session = SessionDriver.Running();
        session.Prompt("second");
        session.Detach();
        session.PassByAlarms(Limits.InspectAfter);
        session.SettleAll<SessionEffect.InspectSandbox>(new EffectOutcome.SandboxInspected(SandboxStatus.NotFound, null));
        session.PassByAlarms(Limits.SandboxGiveUp);
        Assert.Equal("sandbox_unavailable", Failure(session));
    }

    [Fact]
    public void The_boot_deadline_is_longer_than_the_phases_in_the_box_together() =>
        Assert.True(Limits.SandboxBoot > TimeSpan.FromSeconds(300 + 480 + 60));
}
