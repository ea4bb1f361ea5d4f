using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

/// <summary>What becomes of a box when the master key is another than the one its token was made under.</summary>
public sealed class MasterKeyChangeTests
{
    private readonly SessionDriver session = SessionDriver.Running();

    private BoxCredential TokenOf(string key) => new(session.BoxId, 1, SessionDriver.KeyedTokens.HashUnder(key, session.Key, session.BoxId, 1));

    private Result<SessionReply> Authorize(string key) => session.Call(new SessionCommand.AuthorizeBox(TokenOf(key)));

    [Fact]
    public void A_rotation_leaves_the_box_its_token_and_what_the_host_asks_in_its_name_is_the_same_box()
    {
        session.Tokens.Held = ["new", "secret"];
        session.Crash();

        Assert.True(session.Attach(session.BoxId, 1, [new(session.Dispatched, KnownMessageState.Accepted)], TokenOf("secret").TokenHash.ToArray()).IsSuccess);
        Assert.True(Authorize("secret").IsSuccess);

        // The model route and the orphan sweep know the box and not its token.
        Assert.True(Authorize("new").IsSuccess);
        session.EndTurn();
        Assert.Contains("message.completed", session.Types);
    }

    [Fact]
    public void What_a_model_call_cost_is_counted_behind_a_rotation()
    {
        session.Tokens.Held = ["new", "secret"];

        var usage = session.Call(new SessionCommand.RecordUsage(TokenOf("new"), new("demo/scripted", 1, 2, 0, 0, 0, 0m)));

        Assert.True(usage.IsSuccess);
        Assert.Contains("usage.recorded", session.Types);
    }

    [Fact]
    public void A_replaced_key_makes_no_token_for_a_box_that_came_after_it()
    {
        session.Tokens.Held = ["secret", "stolen"];
        session.AutoCommit = false;

        Assert.Equal(ProblemKind.Unauthenticated, Authorize("stolen").Problem?.Kind);
        Assert.Null(session.InFlight);
        Assert.True(Authorize("secret").IsSuccess);
    }

    [Fact]
    public void A_box_of_before_that_is_not_wanted_any_more_is_told_so_behind_a_rotation()
    {
        session.Tokens.Held = ["new", "secret"];
        var older = new BoxCredential(session.BoxId, 0, SessionDriver.KeyedTokens.HashUnder("secret", session.Key, session.BoxId, 0));

        Assert.Equal(ProblemKind.Gone, session.Call(new SessionCommand.AuthorizeBox(older)).Problem?.Kind);
    }

    [Fact]
    public void A_box_whose_key_is_lost_is_refused_for_good_and_ended_and_its_turn_is_told_why()
    {
        session.Tokens.Held = ["new"];
        session.Crash();

        Assert.Equal(ProblemKind.Unauthenticated, Authorize("secret").Problem?.Kind);

        var failed = session.Shown.Single(shown => shown.GetProperty("type").GetString() == "message.failed").GetProperty("data");
        Assert.Equal(("interrupted", true), (failed.GetProperty("code").GetString(), failed.GetProperty("retryable").GetBoolean()));
        Assert.Contains("master key", failed.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal("keyLost", session.Shown.Single(shown => shown.GetProperty("type").GetString() == "sandbox.stopping").GetProperty("data").GetProperty("reason").GetString());
        Assert.True(Assert.Single(session.Effects.Values.OfType<SessionEffect.DestroySandbox>()).KeepData);

        Assert.Equal(ProblemKind.Unauthenticated, Authorize("secret").Problem?.Kind);
        Assert.Single(session.Types, "sandbox.stopping");
        session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Succeeded());
        session.Prompt("again");
        Assert.Equal(2, Assert.Single(session.Effects.Values.OfType<SessionEffect.CreateSandbox>()).Generation);
    }

    [Fact]
    public void A_forged_token_ends_no_box_whose_key_is_lost()
    {
        session.Tokens.Held = ["new"];
        session.AutoCommit = false;

        Assert.Equal(ProblemKind.Unauthenticated, Authorize("forged").Problem?.Kind);
        Assert.Null(session.InFlight);
    }
}
