using System.Text;
using System.Text.Json;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

/// <summary>"Stop the running one" is for the message that ran when it was asked, however often it is sent.</summary>
public sealed class CancelTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_repeat_of_stop_the_running_one_does_not_stop_the_message_after_it(bool crashed)
    {
        var session = SessionDriver.Running();
        var (second, _) = session.Prompt("second");
        Assert.IsType<SessionReply.Done>(Stop(session, "k").Value);
        session.EndTurn("cancelled");
        session.Box("message.accepted", second);
        if (crashed) session.Crash();
        var version = session.Machine.Version;

        Assert.IsType<SessionReply.Done>(Stop(session, "k").Value);

        Assert.Equal(version, session.Machine.Version);
        Assert.Single(session.Types, "message.cancelling");
        Assert.IsType<SessionReply.Done>(Stop(session, "another").Value);
        Assert.Equal([session.Dispatched.ToString()], session.Shown.Where(e => e.GetProperty("type").GetString() == "message.cancelling").Skip(1).Select(e => e.GetProperty("messageId").GetString()));
    }

    [Fact]
    public void A_repeat_that_comes_when_nothing_runs_is_answered_as_the_first_was()
    {
        var session = SessionDriver.Running();
        Stop(session, "k");
        session.EndTurn("cancelled");

        Assert.True(Stop(session, "k").IsSuccess);
        Assert.Equal("nothing_running", Stop(session, "another").Problem!.Code);
    }

    [Fact]
    public void Who_asks_too_while_a_message_is_being_stopped_is_known_again_after_it_and_its_deadline_stays()
    {
        var session = SessionDriver.Running();
        var (second, _) = session.Prompt("second");
        Stop(session, "k");
        var wake = session.WakeAt;
        session.Pass(TimeSpan.FromSeconds(1));
        Assert.True(Stop(session, "too").IsSuccess);
        Assert.Equal(wake, session.WakeAt);
        session.EndTurn("cancelled");
        session.Box("message.accepted", second);

        Assert.True(Stop(session, "too").IsSuccess);

        Assert.Single(session.Types, "message.cancelling");
    }

    [Fact]
    public void A_key_that_stands_for_something_else_stops_nothing_and_asks_nothing()
    {
        var session = SessionDriver.Running();
        session.Prompt("second", "asked");
        Assert.Equal("idempotency_key_reused", Stop(session, "asked").Problem!.Code);
        Assert.DoesNotContain("message.cancelling", session.Types);
        Stop(session, "stopped");
        Assert.Equal("idempotency_key_reused", session.Prompt("third", "stopped").Reply.Problem!.Code);
        Assert.Equal("idempotency_key_reused", Stop(session, "stopped", session.Dispatched).Problem!.Code);
    }

    [Fact]
    public void A_cancel_s_key_is_free_after_a_day()
    {
        var session = SessionDriver.Running();
        Stop(session, "k");
        session.EndTurn("cancelled");
        session.Pass(FoldFormat.RequestMemory + TimeSpan.FromSeconds(1));

        Assert.Equal("nothing_running", Stop(session, "k").Problem!.Code);
    }

    [Fact]
    public void A_cancel_as_releases_without_its_key_wrote_it_is_read()
    {
        var session = SessionDriver.Running();
        Stop(session, "k");
        var asked = session.Journal.FindIndex(record => Encoding.UTF8.GetString(record.Payload.Span).Contains("messageCancelling", StringComparison.Ordinal));
        var text = Encoding.UTF8.GetString(session.Journal[asked].Payload.Span);
        var request = JsonDocument.Parse(text).RootElement.GetProperty("facts").EnumerateArray().Single(fact => fact.TryGetProperty("request", out _)).GetProperty("request").GetRawText();
        session.Journal[asked] = session.Journal[asked] with { Payload = Encoding.UTF8.GetBytes(text.Replace($",\"request\":{request}", string.Empty, StringComparison.Ordinal)) };
        session.Crash();

        Assert.True(session.View.GetProperty("messages")[0].GetProperty("cancelling").GetBoolean());
        Assert.True(Stop(session, "k").IsSuccess);
    }

    private static Result<SessionReply> Stop(SessionDriver session, string key, MessageId? message = null) =>
        session.Call(new SessionCommand.Cancel(SessionDriver.Ada, message, new("User:ada", key, $"cancel {message}")));
}
