using Coordinator.Modules.Sessions;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

/// <summary>Create was asked and its answer never came, while the box it made is there and speaks.</summary>
public sealed class LostCreateTests
{
    private static readonly EffectOutcome Lost = new EffectOutcome.Failed(new("sandbox_unavailable", "The answer was lost.", ProblemKind.Unavailable), Retryable: true);
    private static readonly EffectOutcome Refused = new EffectOutcome.Failed(new("sandbox_unavailable", "The provider refuses.", ProblemKind.Unprocessable), Retryable: false);

    public static TheoryData<string> LivePhases => ["connected", "ready", "silent"];

    [Theory]
    [MemberData(nameof(LivePhases))]
    public void A_box_that_connected_before_its_create_answered_is_asked_for_again_until_its_handle_is_known(string phase)
    {
        var session = In(phase);
        session.SettleAll<SessionEffect.CreateSandbox>(Lost);
        session.PassByAlarms(TimeSpan.FromSeconds(1));
        var again = Assert.Single(session.Effects.Values.OfType<SessionEffect.CreateSandbox>());
        Assert.Equal(1, again.Generation);
        session.SettleAll<SessionEffect.CreateSandbox>(new EffectOutcome.SandboxCreated(SessionDriver.Handle(again)));
        Assert.Equal(phase, Status(session));
        Assert.Empty(session.Effects.Values.OfType<SessionEffect.CreateSandbox>());
        session.Detach();
        session.PassByAlarms(SessionLimits.Default.InspectAfter);
        Assert.Contains(session.Effects.Values, e => e is SessionEffect.InspectSandbox);
    }

    [Theory]
    [MemberData(nameof(LivePhases))]
    public void A_create_that_goes_on_failing_is_asked_for_ever_more_seldom_and_moves_nothing(string phase)
    {
        foreach (var failure in new[] { Lost, Refused })
        {
            var session = In(phase);
            var tries = 0;
            var until = session.Now + TimeSpan.FromMinutes(4);
            while (session.Now < until)
            {
                if (session.Effects.Values.Any(e => e is SessionEffect.CreateSandbox)) tries++;
                session.SettleAll<SessionEffect.CreateSandbox>(failure);
                Assert.Empty(session.Effects.Values.OfType<SessionEffect.CreateSandbox>());
                session.Pass(TimeSpan.FromMilliseconds(500));
                if (session.IsAttached) session.Step(new SessionInput.BridgeReceived(session.Link, new BoxFrame.Heartbeat(true, 1, 1)));
            }

            Assert.InRange(tries, 5, 8);
            Assert.Equal(phase, Status(session));
            Assert.DoesNotContain("message.failed", session.Types);
        }
    }

    [Theory]
    [MemberData(nameof(LivePhases))]
    public void The_next_activation_asks_for_the_handle_of_a_box_that_is_already_there(string phase)
    {
        var session = In(phase);
        session.Crash();
        Assert.Single(session.Effects.Values.OfType<SessionEffect.CreateSandbox>());
        Assert.True(session.WakeAt > session.Now);
    }

    [Fact]
    public void A_late_answer_tells_nobody_that_a_ready_box_boots()
    {
        var session = In("ready");
        var create = session.Effects.Values.OfType<SessionEffect.CreateSandbox>().Single();
        session.SettleAll<SessionEffect.CreateSandbox>(new EffectOutcome.SandboxCreated(SessionDriver.Handle(create)));
        Assert.DoesNotContain("sandbox.booting", session.Types);
    }

    [Fact]
    public void A_box_that_stopped_before_its_handle_was_known_is_not_asked_for_again()
    {
        var session = In("ready");
        session.Call(new SessionCommand.Archive(SessionDriver.Ada));
        session.SettleAll<SessionEffect.CreateSandbox>(Lost);
        session.PassByAlarms(TimeSpan.FromMinutes(5));
        Assert.DoesNotContain(session.Effects.Values, e => e is SessionEffect.CreateSandbox);
        Assert.Null(Assert.Single(session.Effects.Values.OfType<SessionEffect.DestroySandbox>()).Handle);
    }

    private static string Status(SessionDriver session) => session.View.GetProperty("sandbox").GetProperty("status").GetString()!;

    /// <summary>A box in this phase, whose create is still under way.</summary>
    private static SessionDriver In(string phase)
    {
        var session = SessionDriver.WithPrompt();
        var create = session.Effects.Values.OfType<SessionEffect.CreateSandbox>().Single();
        session.Attach(create.Sandbox, create.Generation);
        if (phase == "connected") return session;
        session.Box("boot.ready", null, """{"agent":{"name":"opencode","version":"1"},"resumed":false,"elapsedMs":5}""");
        session.Box("message.accepted", session.Dispatched);
        if (phase == "ready") return session;
        session.Detach();
        session.PassByAlarms(SessionLimits.Default.SandboxSilence);
        return session;
    }
}
