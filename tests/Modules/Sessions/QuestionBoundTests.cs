using System.Text;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

/// <summary>However much a box asks, and however little it confirms, its questions stay small: in memory, in a snapshot and in a record.</summary>
public sealed class QuestionBoundTests
{
    private const int MostQuestions = 300;
    private const int AppendBytes = 16 * 1024 * 1024;

    [Theory]
    [InlineData(10_000, 200, false)]
    [InlineData(1_000, 200, true)]
    [InlineData(400, 60_000, false)]
    public void Ten_thousand_questions_of_one_turn_that_are_never_confirmed_are_few_in_state_and_small_in_a_snapshot(int questions, int size, bool answered)
    {
        var session = SessionDriver.Running();
        var message = session.Dispatched;
        for (var i = 1; i <= questions; i++)
        {
            var id = Ask(session, message, i, new string('<', size));
            if (answered && i <= 1_000) session.Call(new SessionCommand.AnswerPermission(SessionDriver.Ada, id, PermissionDecision.Once, null));
            if (i % 200 == 0) AssertIsSmall(session, $"{i} questions");
        }

        AssertIsSmall(session, "all questions");
        Assert.InRange(session.Journal.Max(record => record.Payload.Length), 1, AppendBytes);
    }

    [Fact]
    public void A_box_that_asks_on_and_on_and_takes_no_answer_fails_its_turn_and_the_next_message_gets_another_box()
    {
        var session = SessionDriver.Running();
        var next = session.Prompt("next").Id;
        var message = session.Dispatched;
        for (var i = 1; i <= 1_000; i++) Ask(session, message, i, "ls");

        var failed = Assert.Single(session.Shown, e => e.GetProperty("type").GetString() == "message.failed");
        Assert.Equal(("too_many_questions", message.ToString()), (failed.GetProperty("data").GetProperty("code").GetString(), failed.GetProperty("messageId").GetString()));
        Assert.Empty(session.ClosedLinks);
        session.SettleAll<SessionEffect.DestroySandbox>(new EffectOutcome.Succeeded());
        (session.Spool, session.N) = ("spool-2", 0);
        session.MakeReady();
        Assert.Equal(next, session.Dispatched);
    }

    [Fact]
    public void A_box_that_confirms_what_it_is_answered_may_ask_as_often_as_it_likes()
    {
        var session = SessionDriver.Running();
        var message = session.Dispatched;
        for (var i = 1; i <= 1_220; i++)
        {
            var id = Ask(session, message, i, "ls");
            if (i > 20) session.Call(new SessionCommand.AnswerPermission(SessionDriver.Ada, id, PermissionDecision.Reject, null));
            if (i > 20) session.Box("permission.confirmed", message, $$"""{"permissionId":"{{id}}"}""");
        }

        Assert.DoesNotContain("message.failed", session.Types);
        Assert.Equal(1_200, Decisions(session).Select(decision => decision.Id).Distinct().Count());
        Assert.Equal(1_200, Decisions(session).Count());
        Assert.Equal(20, session.View.GetProperty("permissionsOpen").GetArrayLength());
        session.EndTurn();
        Assert.Equal("message.completed", session.Types.Last(type => type.StartsWith("message.", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_question_beyond_those_that_may_be_open_is_shown_answered_no_and_sent_so_again_on_a_new_socket()
    {
        var session = SessionDriver.Running();
        var message = session.Dispatched;
        for (var i = 1; i <= 33; i++) Ask(session, message, i, "ls");

        Assert.Equal("permission.expired", session.Types.Last());
        Assert.Equal("ls", session.Shown[^2].GetProperty("data").GetProperty("patterns")[0].GetString());
        Assert.Equal(32, session.View.GetProperty("permissionsOpen").GetArrayLength());
        Assert.Equal(Id(33), Assert.Single(Decisions(session)).Id);
        session.Crash();
        session.Attach(session.BoxId, 1, [new(message, KnownMessageState.Accepted)]);
        Assert.Equal([Id(33), Id(33)], Decisions(session).Select(decision => decision.Id));
        session.Box("permission.confirmed", message, $$"""{"permissionId":"{{Id(33)}}"}""");
        Ask(session, message, 33, "ls");
        Assert.Equal("permission.expired", session.Types.Last());
    }

    [Fact]
    public void Questions_that_are_large_fill_what_may_be_open_before_there_are_many_of_them()
    {
        var session = SessionDriver.Running();
        var message = session.Dispatched;
        for (var i = 1; i <= 30; i++) Ask(session, message, i, new string('x', 60_000));
        Assert.InRange(session.View.GetProperty("permissionsOpen").GetArrayLength(), 10, 20);
        Assert.DoesNotContain("message.failed", session.Types);
    }

    [Theory]
    [InlineData("permission.asked")]
    [InlineData("environment.detected")]
    public void What_gathers_while_the_journal_is_slow_fits_into_one_append_however_a_box_fills_it(string kind)
    {
        var session = SessionDriver.Running();
        var message = session.Dispatched;
        session.AutoCommit = false;
        session.Call(new SessionCommand.Rename(SessionDriver.Ada, "On its way"));
        for (var i = 1; i <= 500 && session.ClosedLinks.Count == 0; i++)
        {
            var filling = new string('\u007f', 60_000);
            if (kind == "permission.asked") Ask(session, message, i, filling);
            else session.Box(kind, null, $$$"""{"environment":{"number":{{{i}}},"name":"{{{filling}}}"}}""");
        }

        session.Commit();
        Assert.InRange(session.InFlight!.Payload.Length + session.InFlight.View!.Value.Length + (session.InFlight.Environment?.Json.Length ?? 0), 1, AppendBytes);
        session.Commit();

        Assert.Equal(LinkCloseReason.ProtocolError, Assert.Single(session.ClosedLinks).Reason);
        session.AutoCommit = true;
        session.Attach(session.BoxId, 1, [new(message, KnownMessageState.Accepted)]);
        session.N--;
        session.Box("agent.text", message, """{"part":"p1","offset":0,"text":"On."}""");
        Assert.Equal("agent.text", session.Types.Last());
        Assert.InRange(session.Journal.Max(record => record.Payload.Length), 1, AppendBytes);
    }

    private static PermissionId Id(int number) => new(PrefixedId.Derive("permission", $"{number}"));

    private static PermissionId Ask(SessionDriver session, MessageId message, int number, string pattern)
    {
        session.Box("permission.asked", message, $$"""{"permissionId":"{{Id(number)}}","permission":"bash","patterns":["{{pattern}}"],"title":"Run a command"}""");
        return Id(number);
    }

    private static IEnumerable<HostFrame.Permission> Decisions(SessionDriver session) => session.Sent.Select(s => s.Frame).OfType<HostFrame.Permission>();

    private static void AssertIsSmall(SessionDriver session, string when)
    {
        var snapshot = session.Machine.Snapshot().State;
        using var state = JsonDocument.Parse(snapshot);
        var count = state.RootElement.GetProperty("permissions").EnumerateObject().Count();
        Assert.True(count <= MostQuestions, $"After {when} the state holds {count}.");
        Assert.True(snapshot.Length <= AppendBytes, $"After {when} a snapshot has {snapshot.Length} bytes: {Encoding.UTF8.GetString(snapshot.Span[..200])}");
    }
}
