using Coordinator.Modules.Sessions;
using Coordinator.Modules.Sessions.Decisions;
using Coordinator.Modules.Sessions.Facts;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

/// <summary>The host was away and is back: a box that only needs to connect again is not killed by the alarm that fires before it can speak, and nothing waits for ever.</summary>
public sealed class ReturnTests
{
    private static readonly SessionLimits Limits = SessionLimits.Default;
    private static readonly TimeSpan LongAway = TimeSpan.FromMinutes(40);

    /// <summary>Every state in which a box or provider is waited for, and how a session gets there.</summary>
    private static readonly Dictionary<string, Func<SessionDriver>> States = new()
    {
        ["sandbox requested"] = () => SessionDriver.WithPrompt(),
        ["sandbox booting"] = Booting,
        ["sandbox connected"] = Connected,
        ["sandbox not ready"] = Connected,
        ["sandbox silent"] = Silent,
        ["message dispatched"] = Dispatched,
        ["message cancelling"] = Cancelling,
        ["message queued behind a box that cannot be ended"] = Stuck,
    };

    public static TheoryData<string> Names => [.. States.Keys];

    [Fact]
    public void Every_wait_for_others_is_tried_here() =>
        Assert.Equal(Deadlines.Table.Where(row => row.Kind == DeadlineKind.Theirs).Select(row => row.Name).Order(), States.Keys.Order());

    [Theory]
    [MemberData(nameof(Names))]
    public void A_wait_for_others_begins_anew_when_this_side_is_back(string state)
    {
        var session = States[state]();
        var ended = Ends(session);
        session.Away(LongAway);
        session.PassByAlarms(TimeSpan.FromSeconds(14));
        Assert.Equal(ended, Ends(session));
        Assert.True(session.WakeAt > session.Now, "It is to be woken, and not at once.");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Who_never_speaks_again_is_given_up_in_bounded_time(string state)
    {
        var session = States[state]();
        session.Away(LongAway);
        session.PassByAlarms(Limits.SandboxStart + Limits.SandboxGiveUp);
        Assert.Equal(0, session.View.GetProperty("messages").EnumerateArray().Count(m => m.GetProperty("status").GetString() is "queued" or "dispatched" or "running"));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_host_that_falls_again_and_again_does_not_postpone_the_end_for_ever(string state)
    {
        var session = States[state]();
        var began = session.Now;
        while (session.View.GetProperty("messages").EnumerateArray().Any(m => m.GetProperty("status").GetString() is "queued" or "dispatched" or "running"))
        {
            Assert.True(session.Now - began < (Limits.Graces + 1) * (Limits.SandboxStart + TimeSpan.FromMinutes(2)), "It waits for ever.");
            session.Away(TimeSpan.FromSeconds(50));
            session.PassByAlarms(TimeSpan.FromSeconds(10));
        }
    }

    [Fact]
    public void A_box_that_comes_and_goes_and_is_never_ready_has_an_end_however_often_its_host_is_away()
    {
        var session = Connected();
        var began = session.Now;
        while (session.Types.All(type => type != "message.failed"))
        {
            Assert.True(session.Now - began < (Limits.Graces + 2) * Limits.SandboxStart, "It waits for ever.");
            session.Away(TimeSpan.FromMinutes(2));
            if (session.HasBox) session.Attach(session.BoxId, 1);
            session.Detach();
            session.PassByAlarms(Limits.SandboxSilence + TimeSpan.FromSeconds(5));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Waiting_never_spins(string state)
    {
        var session = States[state]();
        session.Away(LongAway);
        var until = session.Now + Limits.SandboxStart;
        var alarms = 0;
        while (session.WakeAt is { } wake && wake <= until)
        {
            Assert.True(++alarms < 1_000, "It is woken again and again.");
            session.Pass(wake > session.Now ? wake - session.Now : TimeSpan.Zero);
        }
    }

    [Fact]
    public void A_turn_goes_on_when_its_box_connects_again_after_a_long_absence_of_the_host()
    {
        var session = Dispatched();
        var message = session.Dispatched;
        session.Away(TimeSpan.FromMinutes(10));
        session.PassByAlarms(TimeSpan.FromSeconds(30));
        session.Attach(session.BoxId, 1, [new(message, KnownMessageState.Accepted)]);
        session.PassWithHeartbeats(Limits.MessageStart * 2);
        session.EndTurn();
        Assert.Contains("message.completed", session.Types);
        Assert.DoesNotContain("message.failed", session.Types);
        Assert.DoesNotContain("sandbox.stopping", session.Types);
    }

    [Fact]
    public void A_turn_whose_box_never_connects_again_ends_as_interrupted()
    {
        var session = Dispatched();
        session.Away(TimeSpan.FromMinutes(10));
        session.PassByAlarms(Limits.SandboxSilence + Limits.SandboxGiveUp);
        var failed = session.Shown.Single(e => e.GetProperty("type").GetString() == "message.failed").GetProperty("data");
        Assert.Equal("interrupted", failed.GetProperty("code").GetString());
        Assert.Contains("sandbox.lost", session.Types);
    }

    [Fact]
    public void A_boot_that_went_on_without_the_host_is_taken_up_when_the_box_connects_again()
    {
        var session = Connected();
        session.Away(LongAway);
        session.Attach(session.BoxId, 1);
        session.Box("boot.ready", null, """{"agent":{"name":"opencode","version":"1"},"resumed":false,"elapsedMs":5}""");
        Assert.Contains("message.dispatched", session.Types);
        Assert.DoesNotContain("message.failed", session.Types);
    }

    [Fact]
    public void A_prompt_that_waited_for_a_silent_box_gets_its_time_since_the_box_is_heard_again()
    {
        var session = Dispatched();
        session.Detach();
        session.PassByAlarms(Limits.MessageStart * 2);
        session.Attach(session.BoxId, 1);
        session.PassByAlarms(Limits.MessageStart - TimeSpan.FromSeconds(90));
        session.Box("message.accepted", session.Dispatched);
        session.EndTurn();
        Assert.Contains("message.completed", session.Types);
    }

    [Fact]
    public void An_attach_just_before_the_deadline_gives_the_box_its_time_again_and_the_next_one_no_more()
    {
        var session = Dispatched();
        session.PassWithHeartbeats(Limits.MessageStart - TimeSpan.FromSeconds(15));
        session.Attach(session.BoxId, 1);
        session.PassWithHeartbeats(TimeSpan.FromMinutes(1));
        Assert.DoesNotContain("message.failed", session.Types);
        for (var i = 0; i < 5; i++)
        {
            session.Attach(session.BoxId, 1);
            session.PassWithHeartbeats(TimeSpan.FromSeconds(30));
        }

        Assert.Contains("message.failed", session.Types);
    }

    [Fact]
    public void A_box_that_comes_and_goes_and_is_never_ready_is_given_up()
    {
        var session = Connected();
        var began = session.Now;
        while (!session.Types.Contains("message.failed"))
        {
            Assert.True(session.Now - began < Limits.SandboxStart * 2.5, "It waits for ever.");
            session.Detach();
            session.PassByAlarms(TimeSpan.FromMinutes(2));
            if (session.Types.Contains("message.failed")) break;
            session.Attach(session.BoxId, 1);
            session.PassByAlarms(TimeSpan.FromSeconds(10));
        }
    }

    [Fact]
    public void A_deadline_of_this_side_is_not_extended_by_its_absence()
    {
        var session = SessionDriver.Running();
        session.Away(Limits.MessageTurn);
        Assert.Contains("message.cancelling", session.Types);
        Assert.DoesNotContain("graceGiven", Payloads(session), StringComparison.Ordinal);
    }

    [Fact]
    public void An_activation_that_waits_for_nobody_writes_nothing()
    {
        var session = SessionDriver.Running();
        session.EndTurn();
        session.SettleAll<SessionEffect.FlushRun>(new EffectOutcome.Succeeded());
        var records = session.Journal.Count;
        session.Crash();
        Assert.Equal(records, session.Journal.Count);
    }

    [Fact]
    public void An_append_in_flight_is_waited_for_without_spinning()
    {
        var session = SessionDriver.WithPrompt();
        session.AutoCommit = false;
        session.Pass(Limits.SandboxCreate);
        Assert.NotNull(session.InFlight);
        Assert.True(session.WakeAt is null || session.WakeAt > session.Now);
        session.Commit();
        Assert.Contains("message.failed", session.Types);
    }

    [Theory]
    [InlineData(DeadlineKind.Ours, 0, 120)]
    [InlineData(DeadlineKind.Theirs, 0, 120)]
    [InlineData(DeadlineKind.Ours, 600, 120)]
    [InlineData(DeadlineKind.Theirs, 600, 720)]
    [InlineData(DeadlineKind.Theirs, 10, 130)]
    public void A_row_is_due_from_its_start_or_from_the_last_grace(DeadlineKind kind, int graceAt, int due)
    {
        var start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var state = SessionState.Initial(new(new(Guid.Empty), new(Guid.Empty)), 1);
        if (graceAt > 0) state = Evolver.Apply(state, new Fact.GraceGiven(start + TimeSpan.FromSeconds(graceAt)));
        var row = new Deadline("row", kind, (_, _) => new(start, TimeSpan.FromMinutes(2)), null);
        Assert.Equal(start + TimeSpan.FromSeconds(due), row.Due(state, Limits));
    }

    [Theory]
    [InlineData(DeadlineKind.Ours, 60, 120)]
    [InlineData(DeadlineKind.Theirs, 60, 180)]
    [InlineData(DeadlineKind.Theirs, -60, 120)]
    [InlineData(DeadlineKind.Theirs, 100_000, 240)]
    public void An_attach_extends_a_row_by_its_own_length_at_most(DeadlineKind kind, int attachedAt, int due)
    {
        var start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var row = new Deadline("row", kind, (_, _) => new(start, TimeSpan.FromMinutes(2)), null);
        var state = SessionState.Initial(new(new(Guid.Empty), new(Guid.Empty)), 1);
        Assert.Equal(start + TimeSpan.FromSeconds(due), row.Due(state, Limits, start + TimeSpan.FromSeconds(attachedAt)));
    }

    private static SessionDriver Booting()
    {
        var session = SessionDriver.WithPrompt();
        var create = session.Effects.Values.OfType<SessionEffect.CreateSandbox>().Single();
        session.Settle($"create:{create.Sandbox}", new EffectOutcome.SandboxCreated(SessionDriver.Handle(create)));
        return session;
    }

    private static SessionDriver Connected()
    {
        var session = Booting();
        session.Attach(session.BoxId, 1);
        return session;
    }

    private static SessionDriver Silent()
    {
        var session = SessionDriver.Running();
        session.Detach();
        session.PassByAlarms(Limits.SandboxSilence);
        return session;
    }

    private static SessionDriver Dispatched()
    {
        var session = SessionDriver.WithPrompt();
        session.MakeReady();
        return session;
    }

    private static SessionDriver Cancelling()
    {
        var session = SessionDriver.Running();
        session.Call(new SessionCommand.Cancel(SessionDriver.Ada, null));
        return session;
    }

    private static SessionDriver Stuck()
    {
        var session = SessionDriver.Running();
        session.Prompt("second");
        session.Detach();
        session.PassByAlarms(Limits.InspectAfter);
        session.SettleAll<SessionEffect.InspectSandbox>(new EffectOutcome.SandboxInspected(SandboxStatus.NotFound, null));
        return session;
    }

    private static int Ends(SessionDriver session) =>
        session.Types.Count(t => t is "message.failed" or "message.cancelled" or "sandbox.stopping" or "sandbox.lost");

    private static string Payloads(SessionDriver session) => string.Concat(session.Journal.Select(r => System.Text.Encoding.UTF8.GetString(r.Payload.Span)));
}
