using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

public sealed class QueueTests
{
    [Fact]
    public void Messages_run_one_at_a_time_in_queue_order()
    {
        var session = SessionDriver.Running();
        var first = session.Dispatched;
        var (second, _) = session.Prompt("second");
        var (third, _) = session.Prompt("third");
        Assert.Equal(first, session.Dispatched);

        session.EndTurn();
        Assert.Equal(second, session.Dispatched);
        session.Box("message.accepted", second);
        session.EndTurn();
        Assert.Equal(third, session.Dispatched);
        Assert.Equal(3, session.Sent.Select(s => s.Frame).OfType<HostFrame.Prompt>().Count());
    }

    [Fact]
    public void The_queue_takes_a_hundred_and_refuses_the_next_with_a_reason()
    {
        var session = SessionDriver.Running();
        for (var i = 0; i < 100; i++) Assert.True(session.Prompt($"prompt {i}").Reply.IsSuccess);
        var refusal = session.Prompt("one too many").Reply.Problem!;
        Assert.Equal("queue_full", refusal.Code);
        Assert.Equal(ProblemKind.TooMany, refusal.Kind);
        Assert.NotNull(refusal.RetryAfter);
    }

    [Fact]
    public void A_prompt_over_64_KB_is_refused_and_changes_nothing()
    {
        var session = SessionDriver.Running();
        var version = session.Machine.Version;
        Assert.Equal("prompt_too_large", session.Prompt(new string('x', (64 * 1024) + 1)).Reply.Problem!.Code);
        Assert.Equal("prompt_empty", session.Prompt("  \n").Reply.Problem!.Code);
        Assert.Equal(version, session.Machine.Version);
    }

    [Fact]
    public void A_queued_message_can_be_edited_moved_and_cancelled()
    {
        var session = SessionDriver.Running();
        var (a, _) = session.Prompt("a");
        var (b, _) = session.Prompt("b");
        var (c, _) = session.Prompt("c");
        Assert.True(session.Call(new SessionCommand.EditMessage(SessionDriver.Ada, b, "b, better")).IsSuccess);
        Assert.True(session.Call(new SessionCommand.MoveMessage(SessionDriver.Ada, c, a)).IsSuccess);
        Assert.True(session.Call(new SessionCommand.Cancel(SessionDriver.Ada, a)).IsSuccess);

        session.EndTurn();
        Assert.Equal(c, session.Dispatched);
        session.Box("message.accepted", c);
        session.EndTurn();
        var prompt = session.Sent.Select(s => s.Frame).OfType<HostFrame.Prompt>().Last();
        Assert.Equal((b, "b, better"), (prompt.Message, prompt.Text));
    }

    [Fact]
    public void What_runs_or_has_ended_cannot_be_edited_or_moved()
    {
        var session = SessionDriver.Running();
        var running = session.Dispatched;
        Assert.Equal("message_not_queued", session.Call(new SessionCommand.EditMessage(SessionDriver.Ada, running, "x")).Problem!.Code);
        session.EndTurn();
        Assert.Equal("message_not_queued", session.Call(new SessionCommand.MoveMessage(SessionDriver.Ada, running, null)).Problem!.Code);
        Assert.Equal("message_not_found", session.Call(new SessionCommand.EditMessage(SessionDriver.Ada, new(Guid.Empty), "x")).Problem!.Code);
    }

    [Fact]
    public void A_retry_with_the_same_key_answers_the_first_acceptance_and_queues_once()
    {
        var session = SessionDriver.Running();
        var (id, first) = session.Prompt("do it", "client-1");
        var (_, again) = session.Prompt("do it", "client-1");
        Assert.Equal(new SessionReply.MessageAccepted(id, 0, true), again.Value);
        Assert.Equal(new SessionReply.MessageAccepted(id, 0, false), first.Value);
        Assert.Equal(2, session.Types.Count(t => t == "message.queued"));
    }

    [Fact]
    public void A_memory_of_keys_never_swallows_a_different_prompt()
    {
        var session = SessionDriver.Running();
        session.Prompt("do it", "client-1");
        Assert.Equal("idempotency_key_reused", session.Prompt("do something else", "client-1").Reply.Problem!.Code);
    }

    [Fact]
    public void A_retry_is_recognised_after_a_crash_and_forgotten_after_a_day()
    {
        var session = SessionDriver.Running();
        session.Prompt("do it", "client-1");
        session.Crash();
        Assert.True(((SessionReply.MessageAccepted)session.Prompt("do it", "client-1").Reply.Value).Replayed);
        session.Pass(TimeSpan.FromHours(25));
        Assert.False(((SessionReply.MessageAccepted)session.Prompt("do it", "client-1").Reply.Value).Replayed);
    }
}
