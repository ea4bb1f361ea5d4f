using Coordinator.Modules.Sessions;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

/// <summary>A box that may be made on one of several machines: where is written down before it is asked for there.</summary>
public sealed class PlacedCreateTests
{
    private static readonly EffectOutcome Lost = new EffectOutcome.Failed(new("sandbox_unavailable", "The answer was lost.", ProblemKind.Unavailable), Retryable: true);
    private static readonly EffectOutcome Full = new EffectOutcome.Failed(new("sandbox_full", "No room.", ProblemKind.Unavailable), Retryable: true) { PlaceIsFree = true };

    private readonly SessionDriver session = SessionDriver.WithPrompt();

    [Fact]
    public void The_first_create_names_no_machine_and_the_next_the_one_that_was_chosen()
    {
        Assert.Null(Create.Node);
        Place("first");
        Assert.Equal("first", Create.Node);
    }

    [Fact]
    public void A_create_whose_answer_was_lost_is_tried_again_on_the_same_machine_by_the_next_activation_too()
    {
        Place("first");
        session.Crash();
        Assert.Equal("first", Create.Node);
        session.SettleAll<SessionEffect.CreateSandbox>(Lost);
        session.Crash();
        session.PassByAlarms(TimeSpan.FromSeconds(2));
        Assert.Equal("first", Create.Node);
    }

    [Fact]
    public void A_crash_before_the_choice_was_written_down_leaves_it_open_since_nothing_was_made()
    {
        session.Crash();
        Assert.Null(Create.Node);
    }

    [Fact]
    public void A_machine_that_says_that_it_has_no_such_box_frees_the_choice()
    {
        Place("first");
        session.SettleAll<SessionEffect.CreateSandbox>(Full);
        session.PassByAlarms(TimeSpan.FromSeconds(2));
        Assert.Null(Create.Node);
        Place("second");
        session.Crash();
        Assert.Equal("second", Create.Node);
    }

    [Fact]
    public void The_next_box_is_told_which_machine_has_the_workspace_until_that_is_gone()
    {
        Place("first");
        var made = Create;
        Assert.Null(made.Home);
        session.SettleAll<SessionEffect.CreateSandbox>(new EffectOutcome.SandboxCreated(new("pool", made.Sandbox.ToString(), "first")));
        session.Attach(made.Sandbox, 1);
        session.Box("boot.ready", null, """{"agent":{"name":"opencode","version":"1"},"resumed":false,"elapsedMs":5}""");
        session.Box("message.accepted", session.Dispatched);
        session.EndTurn();
        session.Detach();
        session.PassByAlarms(SessionLimits.Default.SandboxGiveUp + SessionLimits.Default.SandboxSilence);
        session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Succeeded());
        session.Prompt("again");
        Assert.Equal((2, "first", (string?)null), (Create.Generation, Create.Home, Create.Node));

        Place("first");
        session.SettleAll<SessionEffect.CreateSandbox>(new EffectOutcome.Failed(new("sandbox_rejected", "No.", ProblemKind.Unprocessable), Retryable: false));
        session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Succeeded());
        session.Prompt("once more");
        Assert.Equal((3, "first"), (Create.Generation, Create.Home));
    }

    private SessionEffect.CreateSandbox Create => session.Effects.Values.OfType<SessionEffect.CreateSandbox>().Single();

    private void Place(string node) => session.SettleAll<SessionEffect.CreateSandbox>(new EffectOutcome.SandboxPlaced(node));
}
