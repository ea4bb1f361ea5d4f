using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

/// <summary>A finished run reaches the history, whatever its box says; and one that is refused all the same is in nobody's way.</summary>
public sealed class RefusedRunTests
{
    private const int LongestDetail = 4_000;

    private static readonly EffectOutcome Refusal = new EffectOutcome.Failed(new("run_rejected", "The run history refused this run."), Retryable: false);

    private static readonly EffectOutcome Down = new EffectOutcome.Failed(new("run_history_unavailable", "Later."), Retryable: true);

    [Theory]
    [InlineData("a\\u0000", "agent_failed")]
    [InlineData("\\ud800", "agent_failed")]
    [InlineData("", "agent_failed")]
    [InlineData("two words", "agent_failed")]
    [InlineData("model_error", "model_error")]
    [InlineData("-32603", "-32603")]
    public void A_code_that_is_none_fails_its_message_as_if_the_box_had_given_none(string told, string code)
    {
        var session = SessionDriver.Running();
        session.EndTurn("failed", $",\"code\":\"{told}\"");
        Assert.Equal(code, Assert.Single(Offered(session)).FailureCode);
        Assert.Equal(code, Data(session, "message.failed").GetProperty("code").GetString());
    }

    [Fact]
    public void What_a_box_says_of_a_failure_is_bounded_and_holds_nothing_that_a_database_does_not_keep()
    {
        var (code, detail) = (new string('c', 20_000), $"a\\u0000b{new string('d', 20_000)}");
        var ended = SessionDriver.Running();
        ended.EndTurn("failed", $",\"code\":\"{code}\",\"detail\":\"{detail}\"");
        var crashed = SessionDriver.Running();
        crashed.Box("agent.failed", null, $$"""{"code":"{{code}}","detail":"{{detail}}"}""");
        var unready = SessionDriver.WithPrompt();
        var create = unready.Effects.Values.OfType<SessionEffect.CreateSandbox>().Single();
        unready.Attach(create.Sandbox, create.Generation);
        unready.Box("boot.failed", null, $$"""{"code":"{{code}}","detail":"{{detail}}"}""");

        foreach (var (session, ours) in new[] { (ended, "agent_failed"), (crashed, "agent_failed"), (unready, "boot_failed") })
        {
            var failed = Data(session, "message.failed");
            Assert.Equal(ours, failed.GetProperty("code").GetString());
            Assert.InRange(failed.GetProperty("detail").GetString()!.Length, 3_000, LongestDetail);
            Assert.StartsWith("abd", failed.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_agent_of_any_name_has_a_short_one_without_a_NUL()
    {
        var session = SessionDriver.WithPrompt();
        var create = session.Effects.Values.OfType<SessionEffect.CreateSandbox>().Single();
        session.Attach(create.Sandbox, create.Generation);
        session.Box("boot.ready", null, $$"""{"agent":{"name":"a\u0000b{{new string('c', 20_000)}}","version":"1\u0000"},"resumed":false,"elapsedMs":5}""");
        var agent = session.View.GetProperty("sandbox").GetProperty("agent");
        Assert.StartsWith("abc", agent.GetProperty("name").GetString(), StringComparison.Ordinal);
        Assert.InRange(agent.GetProperty("name").GetString()!.Length, 1, 200);
        Assert.Equal("1", agent.GetProperty("version").GetString());
    }

    [Fact]
    public void A_run_that_is_refused_for_what_it_is_holds_up_none_of_those_behind_it()
    {
        var session = SessionDriver.Running();
        session.Prompt("second");
        session.EndTurn();
        var refused = Assert.Single(Offered(session));
        session.Box("message.accepted", session.Dispatched);
        session.EndTurn();
        session.SettleAll<SessionEffect.FlushRun>(Refusal);

        var next = Assert.Single(Offered(session));
        Assert.NotEqual(refused.Id, next.Id);
        session.SettleAll<SessionEffect.FlushRun>(new EffectOutcome.Succeeded());
        Assert.Equal(next.Id.ToString(), Data(session, "run.flushed").GetProperty("runId").GetString());
        Assert.Empty(Offered(session));
    }

    [Fact]
    public void A_run_that_was_refused_is_offered_again_a_day_later_on_whichever_host_and_is_in_the_history_once_it_is_taken()
    {
        var session = Refused(out var refused);
        session.PassByAlarms(TimeSpan.FromHours(23));
        Assert.Empty(Offered(session));

        session.Crash();
        session.PassByAlarms(TimeSpan.FromHours(1));

        Assert.Equal(refused, Assert.Single(Offered(session)));
        session.SettleAll<SessionEffect.FlushRun>(new EffectOutcome.Succeeded());
        Assert.Single(session.Types, "run.flushed");
        Assert.Null(session.WakeAt);
        session.Pass(TimeSpan.FromDays(9));
        Assert.Empty(Offered(session));
    }

    [Fact]
    public void A_session_whose_run_is_refused_again_and_again_sleeps_in_the_end_and_offers_it_when_it_is_awake()
    {
        var session = Refused(out var refused);
        var times = 0;
        while (session.WakeAt is not null && ++times < 100)
        {
            session.PassByAlarms(TimeSpan.FromDays(1));
            session.SettleAll<SessionEffect.FlushRun>(times % 2 == 0 ? Refusal : Down);
        }

        Assert.InRange(times, 2, 10);
        Assert.True(session.Machine.CanHibernate);
        session.Away(TimeSpan.FromDays(30));
        Assert.Equal(refused, Assert.Single(Offered(session)));
    }

    [Fact]
    public void A_history_that_is_down_is_waited_for_in_order_as_long_as_it_takes()
    {
        var session = SessionDriver.Running();
        session.Prompt("second");
        session.EndTurn();
        var first = Assert.Single(Offered(session));
        session.Box("message.accepted", session.Dispatched);
        session.EndTurn();
        for (var tries = 0; tries < 20; tries++)
        {
            session.SettleAll<SessionEffect.FlushRun>(Down);
            session.PassByAlarms(TimeSpan.FromMinutes(5));
            Assert.Equal(first, Assert.Single(Offered(session)));
        }
    }

    /// <summary>An archived session of which nothing is left but a run that was refused once.</summary>
    private static SessionDriver Refused(out RunRecord run)
    {
        var session = SessionDriver.Running();
        session.EndTurn();
        run = Assert.Single(Offered(session));
        session.SettleAll<SessionEffect.FlushRun>(Refusal);
        session.Call(new SessionCommand.Archive(SessionDriver.Ada));
        session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Succeeded());
        session.Detach();
        return session;
    }

    private static List<RunRecord> Offered(SessionDriver session) => [.. session.Effects.Values.OfType<SessionEffect.FlushRun>().Select(flush => flush.Run)];

    private static JsonElement Data(SessionDriver session, string type) => session.Shown.Last(e => e.GetProperty("type").GetString() == type).GetProperty("data");
}
