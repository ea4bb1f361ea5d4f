using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Coordinator.Sandbox.Events;

namespace Coordinator.Sandbox.Bridge;

/// <summary>
/// The box's side of the bridge protocol, without a socket, a disk, a clock or a task: an input gives outputs, to be
/// carried out in order. It holds what makes things happen exactly once: the numbers of the spool, what became of every
/// message, and which questions are open. Not safe for use by two threads at once.
/// </summary>
internal sealed class BridgeMachine
{
    private const int ProtocolError = 4400;

    private readonly BoxIdentity identity;
    private readonly LifecycleEvents lifecycle;
    private readonly Func<string> newSpoolId;
    private readonly SpoolState spool;
    private readonly MessageBook messages;
    private readonly HashSet<PermissionId> openPermissions = [];
    private readonly HashSet<PermissionId> deciding = [];
    /// <summary>Where in the spool a message's end stands, while it is kept.</summary>
    private readonly Dictionary<MessageId, long> endsAt;
    private BridgeWindow window = new(0, 0);
    /// <summary>The spool before this one, where it was the control plane that went back and what is written down here is whole.</summary>
    private string? renewedFrom;
    private MessageId? running;
    private HostFrame.Prompt? accepting;
    private bool connected;
    private bool welcomed;
    /// <summary>In this life of the program: so its disk was not behind what the control plane knew.</summary>
    private bool wasWelcomed;

    /// <param name="identity">Which box this is.</param>
    /// <param name="lifecycle">Builds the events the machine itself sends.</param>
    /// <param name="spool">The spool as it was found on disk.</param>
    /// <param name="endsInSpool">The messages whose end is kept in that spool, and where.</param>
    /// <param name="ledger">What was written down about messages, oldest first.</param>
    /// <param name="newSpoolId">Makes the id of a new spool.</param>
    public BridgeMachine(BoxIdentity identity, LifecycleEvents lifecycle, SpoolState spool, IEnumerable<(MessageId Message, long N)> endsInSpool, IEnumerable<LedgerEntry> ledger, Func<string> newSpoolId)
    {
        this.identity = identity;
        this.lifecycle = lifecycle;
        this.spool = spool;
        this.newSpoolId = newSpoolId;
        endsAt = endsInSpool.DistinctBy(end => end.Message).ToDictionary(end => end.Message, end => end.N);
        messages = new MessageBook(ledger);
    }

    /// <summary>The message that runs, if any.</summary>
    public MessageId? Running => running;

    public bool IsWelcomed => welcomed;

    public string SpoolId => spool.Id;

    public long LastN => spool.LastN;

    public long AckedN => spool.AckedN;

    /// <summary>
    /// Settles what an earlier life of this program left: a message it had accepted and not ended is unknown, for good;
    /// the ends that a lost spool held are told again. Called once, before any step.
    /// </summary>
    public IReadOnlyList<BridgeOutput> Recover()
    {
        var outputs = new List<BridgeOutput>();
        foreach (var entry in messages.Unsettled(spool.Id))
        {
            if (endsAt.ContainsKey(entry.Id))
            {
                Remember(outputs, entry with { State = KnownMessageState.Ended, SpoolId = spool.Id });
                continue;
            }

            var end = entry.End ?? MessageEnd.Failed("outcome_unknown", "The box's program was restarted while this message ran, so its outcome is not known. Look at the workspace, and send it again if needed.");
            var state = entry.State == KnownMessageState.Accepted ? KnownMessageState.Unknown : entry.State;
            TellEnd(outputs, entry.Id, end);
            Remember(outputs, entry with { State = state, End = end, SpoolId = spool.Id });
        }

        return outputs;
    }

    public IReadOnlyList<BridgeOutput> Step(BridgeInput input)
    {
        var outputs = new List<BridgeOutput>();
        switch (input)
        {
            case BridgeInput.Connected:
                Connect(outputs);
                break;
            case BridgeInput.Disconnected:
                Disconnect();
                break;
            case BridgeInput.Received received when connected:
                Receive(outputs, received.Frame);
                break;
            case BridgeInput.Happened happened:
                Append(outputs, happened.Event);
                break;
            case BridgeInput.TurnOver over:
                End(outputs, over.Message, over.End);
                break;
            case BridgeInput.Asked asked:
                if (openPermissions.Add(asked.Permission)) Append(outputs, asked.Event);
                break;
            case BridgeInput.Decided decided:
                Confirm(outputs, decided.Permission);
                break;
            case BridgeInput.Remembered remembered:
                Accept(outputs, remembered.Message);
                break;
            case BridgeInput.NotRemembered failed:
                Refuse(outputs, failed);
                break;
            case BridgeInput.Beat beat when welcomed:
                outputs.Add(new BridgeOutput.Send(BoxFrameWriter.Heartbeat(beat.Busy || running is not null, beat.RssBytes, beat.DiskBytes)));
                break;
        }

        Pump(outputs);
        return outputs;
    }

    private void Connect(List<BridgeOutput> outputs)
    {
        Disconnect();
        connected = true;
        outputs.Add(new BridgeOutput.Send(BoxFrameWriter.Hello(identity, spool.Id, renewedFrom, messages.Known(), openPermissions)));
    }

    private void Disconnect()
    {
        connected = false;
        welcomed = false;
        spool.Unsend();
    }

    private void Receive(List<BridgeOutput> outputs, HostFrame frame)
    {
        switch (frame)
        {
            case HostFrame.Welcome welcome:
                Welcome(outputs, welcome);
                break;
            case HostFrame.Unknown:
                break;
            case var _ when !welcomed:
                Close(outputs, "a frame came before welcome");
                break;
            case HostFrame.Ack ack:
                Acknowledge(outputs, ack);
                break;
            case HostFrame.Prompt prompt:
                Prompt(outputs, prompt);
                break;
            case HostFrame.Cancel cancel:
                Cancel(outputs, cancel);
                break;
            case HostFrame.Permission permission:
                Decide(outputs, permission);
                break;
            case HostFrame.Shutdown shutdown:
                Reply(outputs, shutdown.RequestId, null);
                outputs.Add(new BridgeOutput.Shutdown(shutdown.Reason));
                break;
            case HostFrame.Unanswerable unanswerable:
                Reply(outputs, unanswerable.RequestId, unanswerable.Error);
                break;
        }
    }

    private void Welcome(List<BridgeOutput> outputs, HostFrame.Welcome welcome)
    {
        if (welcomed)
        {
            Acknowledge(outputs, new HostFrame.Ack(welcome.AckedN, welcome.Window));
        }
        else if (welcome.Protocol != BoxFrameWriter.Protocol || welcome.SpoolId != spool.Id)
        {
            Close(outputs, "welcome names another protocol or spool");
        }
        else if (welcome.AckedN > spool.LastN)
        {
            // The control plane has more of this spool than the disk: what was appended since the start is new to it.
            Renew(outputs, spool.LoadedN + 1, isWhole: false);
        }
        else if (welcome.AckedN < spool.AckedN)
        {
            // The control plane went back behind what it had acknowledged, which is gone from here.
            Renew(outputs, spool.AckedN + 1, isWhole: wasWelcomed && !messages.HasForgotten);
        }
        else
        {
            welcomed = wasWelcomed = true;
            window = welcome.Window;
            outputs.Add(new BridgeOutput.Configure(welcome.Settings));
            Trim(outputs, welcome.AckedN);
        }
    }

    private void Acknowledge(List<BridgeOutput> outputs, HostFrame.Ack ack)
    {
        if (ack.N > spool.SentN)
        {
            Close(outputs, "an event was acknowledged that was not sent");
            return;
        }

        window = ack.Window;
        Trim(outputs, ack.N);
    }

    private void Prompt(List<BridgeOutput> outputs, HostFrame.Prompt prompt)
    {
        var message = prompt.Request.Message;
        if (messages.Find(message) is { } known)
        {
            // A control plane that was told how it ended, and asks again, has gone back behind that.
            if (known.End is { } end && !endsAt.ContainsKey(message)) TellEnd(outputs, message, end);
            Reply(outputs, prompt.RequestId, null);
            return;
        }

        if (running is not null)
        {
            Reply(outputs, prompt.RequestId, "busy");
            return;
        }

        (running, accepting) = (message, prompt);
        Remember(outputs, new LedgerEntry(message, KnownMessageState.Accepted, null, null));
    }

    private void Accept(List<BridgeOutput> outputs, MessageId message)
    {
        if (accepting is not { } prompt || prompt.Request.Message != message) return;
        accepting = null;
        Append(outputs, LifecycleEvents.Accepted(message));
        outputs.Add(new BridgeOutput.StartTurn(prompt.Request));
        Reply(outputs, prompt.RequestId, null);
    }

    private void Cancel(List<BridgeOutput> outputs, HostFrame.Cancel cancel)
    {
        switch (messages.Find(cancel.Message))
        {
            case null:
                TellEnd(outputs, cancel.Message, MessageEnd.Cancelled);
                Remember(outputs, new LedgerEntry(cancel.Message, KnownMessageState.Ended, MessageEnd.Cancelled, spool.Id));
                break;
            case { State: KnownMessageState.Accepted }:
                outputs.Add(new BridgeOutput.CancelTurn(cancel.Message));
                break;
        }

        Reply(outputs, cancel.RequestId, null);
    }

    private void Decide(List<BridgeOutput> outputs, HostFrame.Permission permission)
    {
        Reply(outputs, permission.RequestId, null);
        if (!openPermissions.Contains(permission.Id))
        {
            // Decided before, or its turn is over: the control plane must hear that there is nothing left to decide.
            Append(outputs, LifecycleEvents.PermissionConfirmed(permission.Id, running));
            return;
        }

        if (deciding.Add(permission.Id)) outputs.Add(new BridgeOutput.Decide(permission.Id, permission.Allow, permission.Note));
    }

    private void Confirm(List<BridgeOutput> outputs, PermissionId permission)
    {
        deciding.Remove(permission);
        if (openPermissions.Remove(permission)) Append(outputs, LifecycleEvents.PermissionConfirmed(permission, running));
    }

    private void End(List<BridgeOutput> outputs, MessageId message, MessageEnd end)
    {
        if (messages.Find(message) is not { State: KnownMessageState.Accepted }) return;
        if (running == message) running = null;

        // The agent went on at the word of a decision, and may have ended its turn before it was heard that the word had arrived.
        foreach (var decided in deciding) Append(outputs, LifecycleEvents.PermissionConfirmed(decided, message));
        openPermissions.Clear();
        deciding.Clear();
        TellEnd(outputs, message, end);
        Remember(outputs, new LedgerEntry(message, KnownMessageState.Ended, end, spool.Id));
    }

    private void Refuse(List<BridgeOutput> outputs, BridgeInput.NotRemembered failed)
    {
        if (accepting is not { } prompt || prompt.Request.Message != failed.Message) return;
        (running, accepting) = (null, null);
        messages.Set(new LedgerEntry(failed.Message, KnownMessageState.Ended, failed.End, spool.Id));
        TellEnd(outputs, failed.Message, failed.End);
        Reply(outputs, prompt.RequestId, null);
    }

    private void Remember(List<BridgeOutput> outputs, LedgerEntry entry)
    {
        messages.Set(entry);
        outputs.Add(new BridgeOutput.Remember(entry));
    }

    private void TellEnd(List<BridgeOutput> outputs, MessageId message, MessageEnd end)
    {
        Append(outputs, lifecycle.Ended(message, end));
        endsAt[message] = spool.LastN;
    }

    private void Append(List<BridgeOutput> outputs, BoxEvent happened)
    {
        if (happened.Data.Length > BoxEvent.MaxDataBytes) throw new ArgumentException($"The data of a {happened.Kind} event is larger than an event may be.", nameof(happened));
        var body = BoxFrameWriter.EventBody(happened);
        outputs.Add(new BridgeOutput.Append(spool.Append(body.Length + BoxFrameWriter.EventOverhead), body, happened.IsLandmark));
    }

    private void Trim(List<BridgeOutput> outputs, long n)
    {
        if (n <= spool.AckedN) return;
        spool.Acknowledge(n);
        foreach (var (message, at) in endsAt)
            if (at <= n) endsAt.Remove(message);
        outputs.Add(new BridgeOutput.Trim(n));
    }

    private void Renew(List<BridgeOutput> outputs, long keepFrom, bool isWhole)
    {
        var id = newSpoolId();
        renewedFrom = isWhole ? spool.Id : null;
        spool.Renew(id, keepFrom);
        foreach (var (message, at) in endsAt.ToArray())
        {
            if (at < keepFrom) endsAt.Remove(message);
            else endsAt[message] = at - keepFrom + 1;
        }

        outputs.Add(new BridgeOutput.Renew(id, keepFrom));
        TellEndsAgain(outputs);
        Close(outputs, "the spool was renewed");
    }

    /// <summary>
    /// What had ended was told in a spool that is no more. A control plane that went back may still hold it for running,
    /// and would for as long as a turn may take; one that knows takes no notice.
    /// </summary>
    private void TellEndsAgain(List<BridgeOutput> outputs)
    {
        foreach (var entry in messages.Unsettled(spool.Id))
        {
            if (entry.End is not { } end) continue;
            if (!endsAt.ContainsKey(entry.Id)) TellEnd(outputs, entry.Id, end);
            Remember(outputs, entry with { SpoolId = spool.Id });
        }
    }

    private void Close(List<BridgeOutput> outputs, string reason)
    {
        outputs.Add(new BridgeOutput.Close(ProtocolError, reason));
        Disconnect();
    }

    private static void Reply(List<BridgeOutput> outputs, string requestId, string? error) => outputs.Add(new BridgeOutput.Send(BoxFrameWriter.Reply(requestId, error)));

    /// <summary>Sends what the window allows; one event always fits when nothing is under way, so a small window is slow and not stuck.</summary>
    private void Pump(List<BridgeOutput> outputs)
    {
        while (welcomed && spool.NextSize is { } size && spool.EventsUnderWay < window.Events
            && (spool.EventsUnderWay == 0 || spool.BytesUnderWay + size <= window.Bytes))
        {
            outputs.Add(new BridgeOutput.SendEvent(spool.Send()));
        }
    }
}
