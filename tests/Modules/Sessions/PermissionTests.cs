using Coordinator.Modules.Sessions;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

public sealed class PermissionTests
{
    private static readonly PermissionId Question = new(PrefixedId.Derive("permission", "1"));

    private static SessionDriver Asked(string id = "1", string pattern = "rm -rf build")
    {
        var session = SessionDriver.Running();
        Ask(session, id, pattern);
        return session;
    }

    private static void Ask(SessionDriver session, string id, string pattern) => session.Box("permission.asked", session.Dispatched,
        $$"""{"permissionId":"{{new PermissionId(PrefixedId.Derive("permission", id))}}","permission":"bash","patterns":["{{pattern}}"],"title":"Run a command"}""");

    private static Result<SessionReply> Answer(SessionDriver session, PermissionDecision decision) =>
        session.Call(new SessionCommand.AnswerPermission(SessionDriver.Ada, Question, decision, null));

    private static IEnumerable<HostFrame.Permission> Decisions(SessionDriver session) => session.Sent.Select(s => s.Frame).OfType<HostFrame.Permission>();

    [Fact]
    public void A_question_is_shown_with_its_deadline_and_stands_in_the_view()
    {
        var session = Asked();
        var open = Assert.Single(session.View.GetProperty("permissionsOpen").EnumerateArray());
        Assert.Equal(session.Now + SessionLimits.Default.PermissionAnswer, open.GetProperty("expiresAt").GetDateTimeOffset());
    }

    [Fact]
    public void Two_people_answer_at_once_and_the_first_answer_counts()
    {
        var session = Asked();
        Assert.True(Answer(session, PermissionDecision.Reject).IsSuccess);
        Assert.Equal("permission_already_answered", Answer(session, PermissionDecision.Once).Problem!.Code);
        Assert.Equal(PermissionDecision.Reject, Assert.Single(Decisions(session)).Decision);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Who_sends_its_own_answer_again_is_told_that_it_was_taken_and_it_counts_once(bool settled)
    {
        var session = Asked();
        var answer = new SessionCommand.AnswerPermission(SessionDriver.Ada, Question, PermissionDecision.Once, null, new("User:ada", "k", "once"));
        Assert.True(session.Call(answer).IsSuccess);
        if (settled) session.Box("permission.confirmed", session.Dispatched, $$"""{"permissionId":"{{Question}}"}""");
        session.Crash();
        var version = session.Machine.Version;

        Assert.IsType<SessionReply.Done>(session.Call(answer).Value);

        Assert.Equal(version, session.Machine.Version);
        Assert.Equal("idempotency_key_reused", session.Call(answer with { Idempotency = new("User:ada", "k", "reject") }).Problem!.Code);
        Assert.Equal(settled ? "permission_not_found" : "permission_already_answered", session.Call(answer with { Idempotency = new("User:bob", "k", "once") }).Problem!.Code);
    }

    [Fact]
    public void A_question_in_a_headless_run_does_not_hang_for_ever()
    {
        var session = Asked();
        session.PassWithHeartbeats(SessionLimits.Default.PermissionAnswer);
        Assert.Contains("permission.expired", session.Types);
        Assert.Equal(PermissionDecision.Reject, Assert.Single(Decisions(session)).Decision);
    }

    /// <summary>How long this side was away, in seconds, and how long a question that was then asked stays open after.</summary>
    [Theory]
    [InlineData(1, 599)]
    [InlineData(299, 301)]
    [InlineData(300, 300)]
    [InlineData(301, 300)]
    [InlineData(599, 300)]
    [InlineData(600, 300)]
    [InlineData(2_400, 300)]
    public void A_question_that_nobody_could_answer_is_open_for_a_while_when_this_side_is_back(int away, int left)
    {
        var session = Asked();
        session.Away(TimeSpan.FromSeconds(away));
        var open = Assert.Single(session.View.GetProperty("permissionsOpen").EnumerateArray());
        Assert.Equal(session.Now + TimeSpan.FromSeconds(left), open.GetProperty("expiresAt").GetDateTimeOffset());
        Assert.Equal("Run a command", open.GetProperty("title").GetString());
        Assert.Equal(away > 300, session.Types.Contains("permission.extended"));
        Assert.DoesNotContain("permission.expired", session.Types);
    }

    [Fact]
    public void A_question_of_before_an_outage_can_be_answered_after_it_and_those_who_watch_are_told_until_when()
    {
        var session = Asked();
        session.Away(TimeSpan.FromMinutes(40));
        var told = Assert.Single(session.Shown, e => e.GetProperty("type").GetString() == "permission.extended").GetProperty("data");
        Assert.Equal((Question.ToString(), session.Now + SessionLimits.Default.PermissionReturn), (told.GetProperty("permissionId").GetString(), told.GetProperty("expiresAt").GetDateTimeOffset()));
        session.Attach(session.BoxId, 1, [new(session.Dispatched, KnownMessageState.Accepted)]);
        Assert.True(Answer(session, PermissionDecision.Once).IsSuccess);
        Assert.Equal(PermissionDecision.Once, Assert.Single(Decisions(session)).Decision);
    }

    [Fact]
    public void A_question_that_nobody_answers_after_an_outage_either_expires()
    {
        var session = Asked();
        session.Away(TimeSpan.FromMinutes(40));
        session.Attach(session.BoxId, 1, [new(session.Dispatched, KnownMessageState.Accepted)]);
        session.PassWithHeartbeats(SessionLimits.Default.PermissionReturn);
        Assert.Contains("permission.expired", session.Types);
        Assert.Equal(PermissionDecision.Reject, Assert.Single(Decisions(session)).Decision);
    }

    [Fact]
    public void A_host_that_falls_again_and_again_does_not_keep_a_question_open_for_ever()
    {
        var session = Asked();
        for (var falls = 0; falls < 20; falls++) session.Away(TimeSpan.FromMinutes(4));
        Assert.Equal(SessionLimits.Default.Graces, session.Types.Count(type => type == "permission.extended"));
        Assert.Contains("permission.expired", session.Types);
    }

    [Fact]
    public void A_question_that_is_answered_gets_no_more_time()
    {
        var session = Asked();
        Answer(session, PermissionDecision.Once);
        session.Away(TimeSpan.FromMinutes(40));
        Assert.DoesNotContain("permission.extended", session.Types);
    }

    [Fact]
    public void A_decision_is_resent_on_a_new_socket_until_the_box_confirms_it()
    {
        var session = Asked();
        Answer(session, PermissionDecision.Once);
        session.Detach();
        session.Attach(session.BoxId, 1, [new(session.Dispatched, KnownMessageState.Accepted)]);
        Assert.Equal(2, Decisions(session).Count());
        session.Box("permission.confirmed", session.Dispatched, $$"""{"permissionId":"{{Question}}"}""");
        session.Detach();
        session.Attach(session.BoxId, 1, [new(session.Dispatched, KnownMessageState.Accepted)]);
        Assert.Equal(2, Decisions(session).Count());
    }

    [Fact]
    public void A_decision_waits_for_a_box_that_is_away_for_minutes()
    {
        var session = Asked();
        session.Detach();
        Answer(session, PermissionDecision.Once);
        session.PassByAlarms(TimeSpan.FromMinutes(3));
        session.SettleAll<SessionEffect.InspectSandbox>(new EffectOutcome.SandboxInspected(Ports.Compute.SandboxStatus.Running, null));
        session.Attach(session.BoxId, 1, [new(session.Dispatched, KnownMessageState.Accepted)]);
        Assert.Contains(Decisions(session), d => d.Decision == PermissionDecision.Once);
    }

    [Fact]
    public void A_grant_for_the_session_answers_the_next_like_question_and_survives_a_crash()
    {
        var session = Asked();
        Answer(session, PermissionDecision.Session);
        session.Crash();
        session.Attach(session.BoxId, 1, [new(session.Dispatched, KnownMessageState.Accepted)]);
        Ask(session, "2", "rm -rf build");
        Assert.Equal("permission.answered", session.Types.Last());
        Ask(session, "3", "rm -rf /");
        Assert.Equal("permission.asked", session.Types.Last());
    }

    [Fact]
    public void The_end_of_the_turn_closes_its_open_questions()
    {
        var session = Asked();
        session.EndTurn("failed", ",\"code\":\"agent_crashed\",\"detail\":\"exit 1\"");
        Assert.Contains("permission.expired", session.Types);
        Assert.Empty(session.View.GetProperty("permissionsOpen").EnumerateArray());
    }
}
