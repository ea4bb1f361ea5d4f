using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Events;
using Xunit;
using HostFrame = Coordinator.Sandbox.Bridge.HostFrame;

namespace Coordinator.Tests.Modules.Box.Bridge;

public sealed class BridgeMachineTests
{
    private readonly MachineHarness box = new();

    [Fact]
    public void A_socket_begins_with_hello_and_nothing_else_until_welcome()
    {
        box.Step(new BridgeInput.Happened(MachineHarness.Event())).Step(new BridgeInput.Connected());

        Assert.Equal(["hello"], box.SentTypes());
        Assert.Equal("spool-1", box.Frames[0].GetProperty("spoolId").GetString());
    }

    [Fact]
    public void Events_are_numbered_from_one_without_gaps_and_sent_after_welcome()
    {
        box.Step(new BridgeInput.Happened(MachineHarness.Event())).Connect().Step(new BridgeInput.Happened(MachineHarness.Event()));

        Assert.Equal([1, 2], box.SentNumbers());
    }

    [Fact]
    public void What_is_not_acknowledged_is_sent_again_on_the_next_socket_in_the_same_order()
    {
        box.Connect();
        for (var i = 0; i < 5; i++) box.Step(new BridgeInput.Happened(MachineHarness.Event()));
        box.Receive(new HostFrame.Ack(2, BridgeWindow.Default)).Step(new BridgeInput.Disconnected()).Forget();

        box.Connect(acked: 3);

        Assert.Equal([4, 5], box.SentNumbers());
    }

    [Fact]
    public void Duplicate_and_late_acknowledgements_change_nothing()
    {
        box.Connect();
        for (var i = 0; i < 3; i++) box.Step(new BridgeInput.Happened(MachineHarness.Event()));
        box.Receive(new HostFrame.Ack(3, BridgeWindow.Default)).Forget();

        box.Receive(new HostFrame.Ack(3, BridgeWindow.Default)).Receive(new HostFrame.Ack(1, BridgeWindow.Default));

        Assert.Equal(3, box.AckedN);
        Assert.Empty(box.Frames);
        Assert.Empty(box.Orders);
    }

    [Fact]
    public void An_acknowledgement_of_what_was_never_sent_closes_the_socket()
    {
        box.Connect().Forget();

        box.Receive(new HostFrame.Ack(1, BridgeWindow.Default));

        Assert.IsType<BridgeOutput.Close>(Assert.Single(box.Orders));
    }

    [Fact]
    public void No_more_is_under_way_than_the_window_allows()
    {
        box.Connect(window: new BridgeWindow(2, 1_000_000));
        for (var i = 0; i < 5; i++) box.Step(new BridgeInput.Happened(MachineHarness.Event()));
        Assert.Equal([1, 2], box.SentNumbers());

        box.Forget().Receive(new HostFrame.Ack(1, new BridgeWindow(3, 1_000_000)));

        Assert.Equal([3, 4], box.SentNumbers());
    }

    [Fact]
    public void A_window_smaller_than_an_event_slows_the_box_and_does_not_stop_it()
    {
        var narrow = new BridgeWindow(10, 1);
        box.Connect(window: narrow);
        for (var i = 0; i < 3; i++) box.Step(new BridgeInput.Happened(MachineHarness.Event()));
        box.Receive(new HostFrame.Ack(1, narrow)).Receive(new HostFrame.Ack(2, narrow));

        Assert.Equal([1, 2, 3], box.SentNumbers());
    }

    [Fact]
    public void A_control_plane_that_has_more_than_the_disk_gets_a_new_spool_with_what_is_new_to_it()
    {
        box.Connect();
        for (var i = 0; i < 4; i++) box.Step(new BridgeInput.Happened(MachineHarness.Event()));
        box.LoseTail(3).Step(new BridgeInput.Happened(MachineHarness.Event("after"))).Forget();

        box.Connect(acked: 4);
        Assert.IsType<BridgeOutput.Close>(Assert.Single(box.Orders));
        Assert.Equal("spool-2", box.SpoolId);

        box.Forget().Connect();
        Assert.Equal([1], box.SentNumbers());
        Assert.False(box.Frames[0].TryGetProperty("renewedFrom", out _), "Its disk went back, and with it maybe what it wrote down about messages.");
        Assert.Contains("after", box.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_control_plane_that_went_back_gets_a_new_spool_rather_than_a_gap()
    {
        box.Connect();
        for (var i = 0; i < 4; i++) box.Step(new BridgeInput.Happened(MachineHarness.Event()));
        box.Receive(new HostFrame.Ack(3, BridgeWindow.Default)).Step(new BridgeInput.Disconnected()).Forget();

        box.Connect(acked: 1);

        Assert.Equal("spool-2", box.SpoolId);
        Assert.Equal([1], box.Forget().Connect().SentNumbers());
        Assert.Equal("spool-1", box.Frames[0].GetProperty("renewedFrom").GetString());
    }

    [Fact]
    public void A_program_that_finds_the_control_plane_behind_at_its_start_does_not_say_that_its_record_is_whole()
    {
        box.Connect();
        for (var i = 0; i < 4; i++) box.Step(new BridgeInput.Happened(MachineHarness.Event()));
        box.Receive(new HostFrame.Ack(3, BridgeWindow.Default)).Restart().Forget();

        box.Connect(acked: 1);

        Assert.Equal("spool-2", box.SpoolId);
        Assert.False(box.Forget().Connect().Frames[0].TryGetProperty("renewedFrom", out _), "Its disk may have gone back too.");
    }

    [Fact]
    public void A_program_that_has_forgotten_a_message_does_not_say_that_its_record_is_whole()
    {
        const int remembered = 2_000;
        box.Connect();
        for (var i = 0; i <= remembered; i++) box.Receive(new HostFrame.Cancel("r1", MachineHarness.NewMessage())).Receive(new HostFrame.Ack(box.LastN, BridgeWindow.Default)).Forget();
        box.Step(new BridgeInput.Disconnected()).Connect(acked: 1);

        Assert.Equal("spool-2", box.SpoolId);
        Assert.False(box.Forget().Connect().Frames[0].TryGetProperty("renewedFrom", out _), "What it was asked for again might run again.");
    }

    [Fact]
    public void A_control_plane_that_went_back_is_told_again_how_messages_ended()
    {
        var message = MachineHarness.NewMessage();
        box.Connect().Prompt(message).Step(new BridgeInput.TurnOver(message, MessageEnd.Failed("agent_failed", "It failed.")));
        box.Receive(new HostFrame.Ack(2, BridgeWindow.Default)).Step(new BridgeInput.Disconnected()).Forget();

        box.Connect(acked: 1);
        Assert.Equal([EventKinds.MessageEnded], box.Forget().Connect().SentKinds());

        box.Receive(new HostFrame.Ack(1, BridgeWindow.Default)).Forget();
        box.Prompt(message);
        Assert.Equal([EventKinds.MessageEnded], box.SentKinds());
        Assert.DoesNotContain(box.Orders, order => order is BridgeOutput.StartTurn);
    }

    [Fact]
    public void A_prompt_is_written_down_before_it_is_run_and_then_answered()
    {
        var message = MachineHarness.NewMessage();
        box.Connect().Forget();

        box.Prompt(message);

        Assert.Equal(KnownMessageState.Accepted, Assert.Single(box.Ledger).State);
        Assert.Equal(message, Assert.IsType<BridgeOutput.StartTurn>(Assert.Single(box.Orders)).Request.Message);
        Assert.Equal([EventKinds.MessageAccepted], box.SentKinds());
        Assert.True(box.Frames.Single(frame => frame.GetProperty("type").GetString() == "reply").GetProperty("ok").GetBoolean());
    }

    [Fact]
    public void A_retry_of_an_ambiguous_delivery_runs_the_prompt_once()
    {
        var message = MachineHarness.NewMessage();
        box.Connect().Prompt(message).Step(new BridgeInput.Disconnected()).Forget();

        box.Connect().Prompt(message, "r2").Prompt(message, "r3");
        Assert.Empty(box.Orders.OfType<BridgeOutput.StartTurn>());

        box.Step(new BridgeInput.TurnOver(message, new MessageEnd(TurnOutcome.Completed, null, null, AgentTokens.None))).Forget().Prompt(message, "r4");
        Assert.Empty(box.Orders);
        Assert.Equal(["reply"], box.SentTypes());
    }

    [Fact]
    public void Another_prompt_with_the_same_text_is_not_taken_for_a_duplicate()
    {
        var first = MachineHarness.NewMessage();
        var second = MachineHarness.NewMessage();
        box.Connect().Prompt(first).Step(new BridgeInput.TurnOver(first, MessageEnd.Cancelled)).Prompt(second);

        Assert.Equal([first, second], box.Orders.OfType<BridgeOutput.StartTurn>().Select(order => order.Request.Message));
    }

    [Fact]
    public void Bridge_restarts_mid_prompt_and_the_message_ends_as_unknown_and_is_never_run_again()
    {
        var message = MachineHarness.NewMessage();
        box.Connect().Prompt(message).Restart().Forget();

        box.Connect().Prompt(message, "r2");

        Assert.Empty(box.Orders.OfType<BridgeOutput.StartTurn>());
        var hello = box.Frames[0];
        Assert.Equal("unknown", hello.GetProperty("messages")[0].GetProperty("state").GetString());
        var ended = Assert.Single(box.Frames, frame => frame.GetProperty("type").GetString() == "event" && frame.GetProperty("kind").GetString() == EventKinds.MessageEnded);
        Assert.Equal("outcome_unknown", ended.GetProperty("data").GetProperty("code").GetString());
    }

    [Fact]
    public void A_turn_that_ended_just_before_the_crash_keeps_its_outcome()
    {
        var message = MachineHarness.NewMessage();
        box.Connect().Prompt(message).Step(new BridgeInput.TurnOver(message, MessageEnd.Cancelled)).Restart().Restart().Forget();

        box.Connect();

        Assert.Single(box.SentKinds(), EventKinds.MessageEnded);
        Assert.Equal("ended", box.Frames[0].GetProperty("messages")[0].GetProperty("state").GetString());
    }

    [Fact]
    public void An_end_that_a_lost_spool_held_is_told_again()
    {
        var message = MachineHarness.NewMessage();
        box.Connect().Prompt(message).Step(new BridgeInput.TurnOver(message, MessageEnd.Failed("model_error", "no"))).Restart(loseSpool: true).Forget();

        box.Connect();

        Assert.Equal([EventKinds.MessageEnded], box.SentKinds());
        Assert.Equal("model_error", box.Frames[^1].GetProperty("data").GetProperty("code").GetString());
    }

    [Fact]
    public void A_message_that_cannot_be_written_down_is_not_run_and_ends_as_disk_full()
    {
        var message = MachineHarness.NewMessage();
        box.Connect().Forget();
        box.RefuseToRemember = true;

        box.Prompt(message);

        Assert.Empty(box.Orders);
        Assert.Equal([EventKinds.MessageEnded], box.SentKinds());
        Assert.Equal("disk_full", box.Frames.Single(frame => frame.GetProperty("type").GetString() == "event").GetProperty("data").GetProperty("code").GetString());
    }

    [Fact]
    public void A_cancel_that_overtakes_its_prompt_leaves_a_tombstone()
    {
        var message = MachineHarness.NewMessage();
        box.Connect().Receive(new HostFrame.Cancel("c1", message)).Prompt(message).Receive(new HostFrame.Cancel("c2", message));

        Assert.DoesNotContain(box.Orders, order => order is BridgeOutput.StartTurn or BridgeOutput.CancelTurn);
        Assert.Equal([EventKinds.MessageEnded], box.SentKinds());
        Assert.Equal(3, box.SentTypes().Count(type => type == "reply"));
    }

    [Fact]
    public void A_tombstone_outlives_the_program()
    {
        var message = MachineHarness.NewMessage();
        box.Connect().Receive(new HostFrame.Cancel("c1", message)).Restart().Forget();

        box.Connect().Prompt(message);

        Assert.Empty(box.Orders.OfType<BridgeOutput.StartTurn>());
    }

    [Fact]
    public void A_turn_ends_once_however_often_its_end_is_reported()
    {
        var message = MachineHarness.NewMessage();
        box.Connect().Prompt(message);
        box.Step(new BridgeInput.TurnOver(message, MessageEnd.Cancelled)).Step(new BridgeInput.TurnOver(message, new MessageEnd(TurnOutcome.Completed, null, null, AgentTokens.None)));

        Assert.Single(box.SentKinds(), EventKinds.MessageEnded);
        Assert.Equal(TurnOutcome.Cancelled, box.Ledger[^1].End!.Outcome);
    }

    [Fact]
    public void A_second_message_waits_for_the_first_to_end()
    {
        box.Connect().Prompt(MachineHarness.NewMessage()).Forget().Prompt(MachineHarness.NewMessage(), "r2");

        Assert.Empty(box.Orders);
        Assert.Equal("busy", Assert.Single(box.Frames).GetProperty("error").GetString());
    }

    [Fact]
    public void A_decision_is_handed_over_once_and_confirmed_however_often_it_comes()
    {
        var message = MachineHarness.NewMessage();
        var permission = PermissionId.New(TimeProvider.System);
        box.Connect().Prompt(message).Step(new BridgeInput.Asked(permission, new BoxEvent(EventKinds.PermissionAsked, message, "{}"u8.ToArray()))).Forget();

        box.Receive(new HostFrame.Permission("p1", permission, true, null)).Receive(new HostFrame.Permission("p2", permission, true, null));
        Assert.Single(box.Orders.OfType<BridgeOutput.Decide>());

        box.Step(new BridgeInput.Decided(permission)).Receive(new HostFrame.Permission("p3", permission, false, null));
        Assert.Single(box.Orders.OfType<BridgeOutput.Decide>());
        Assert.Equal([EventKinds.PermissionConfirmed, EventKinds.PermissionConfirmed], box.SentKinds());
    }

    [Fact]
    public void A_decision_that_the_agent_acted_on_and_ended_its_turn_before_it_was_known_to_have_arrived_is_confirmed_before_the_end_and_once()
    {
        var message = MachineHarness.NewMessage();
        var permission = PermissionId.New(TimeProvider.System);
        box.Connect().Prompt(message).Step(new BridgeInput.Asked(permission, new BoxEvent(EventKinds.PermissionAsked, message, "{}"u8.ToArray()))).Forget();

        box.Receive(new HostFrame.Permission("p1", permission, true, null))
            .Step(new BridgeInput.TurnOver(message, new MessageEnd(TurnOutcome.Completed, null, null, AgentTokens.None)))
            .Step(new BridgeInput.Decided(permission));

        Assert.Equal([EventKinds.PermissionConfirmed, EventKinds.MessageEnded], box.SentKinds());
    }

    [Fact]
    public void Hello_names_the_questions_that_are_open()
    {
        var message = MachineHarness.NewMessage();
        var permission = PermissionId.New(TimeProvider.System);
        box.Connect().Prompt(message).Step(new BridgeInput.Asked(permission, new BoxEvent(EventKinds.PermissionAsked, message, "{}"u8.ToArray()))).Forget();

        box.Step(new BridgeInput.Connected());

        Assert.Equal(permission.ToString(), Assert.Single(box.Frames[0].GetProperty("openPermissions").EnumerateArray()).GetString());
    }

    [Fact]
    public void A_quiet_long_tool_call_is_not_idleness_the_heartbeat_says_busy()
    {
        box.Connect().Prompt(MachineHarness.NewMessage()).Forget();

        box.Step(new BridgeInput.Beat(false, 1, 2));

        Assert.True(Assert.Single(box.Frames).GetProperty("busy").GetBoolean());
    }

    [Fact]
    public void What_comes_before_welcome_closes_the_socket()
    {
        box.Step(new BridgeInput.Connected()).Forget().Prompt(MachineHarness.NewMessage());

        Assert.IsType<BridgeOutput.Close>(Assert.Single(box.Orders));
        Assert.Empty(box.Ledger);
    }

    [Fact]
    public void Another_protocol_is_not_spoken()
    {
        box.Step(new BridgeInput.Connected()).Forget().Receive(new HostFrame.Welcome(2, box.SpoolId, 0, BridgeWindow.Default, MachineHarness.Settings));

        Assert.IsType<BridgeOutput.Close>(Assert.Single(box.Orders));
    }
}
