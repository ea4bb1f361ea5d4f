using Coordinator.Modules.Sessions.Facts;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>A box says hello, or sends a numbered event: each event reaches the journal exactly once.</summary>
internal static class BridgeDecisions
{
    public const int Protocol = 1;

    private const int MostAtWork = 4;

    /// <summary>Takes a box's socket. Only the box of the present generation gets in.</summary>
    public static Result<SessionReply> Attach(Turn turn, BoxCredential credential, BridgeHello hello, IBoxTokenScheme tokens)
    {
        var authorized = BoxDecisions.Authorize(turn, credential, tokens);
        if (!authorized.IsSuccess) return authorized;
        if (hello.Sandbox != credential.Sandbox || hello.Generation != credential.Generation) return Refusals.BoxNotWanted;
        if (hello.MinProtocol > Protocol || hello.MaxProtocol < Protocol)
            return new Problem("bridge_protocol_unsupported", $"This host speaks bridge protocol {Protocol}; the box speaks {hello.MinProtocol} to {hello.MaxProtocol}.", ProblemKind.Gone);
        if (hello.SpoolId.Length is 0 or > 64) return new Problem("bridge_hello_invalid", "hello.spoolId has 1 to 64 characters.", ProblemKind.Malformed);

        // Welcome says what is acknowledged; from a fenced host that would be too little, and the box would begin anew.
        turn.Claim();
        Greet(turn, hello);
        OpenSpool(turn, hello);
        SettleRunning(turn, hello);
        return authorized;
    }

    /// <summary>What the box is at work on: one message, unless it is no box of ours.</summary>
    public static IEnumerable<MessageId> AtWork(BridgeHello hello) => hello.Messages.Where(message => message.State == KnownMessageState.Accepted).Select(message => message.Id).Take(MostAtWork);

    /// <summary>Takes one numbered event; false: there is a gap, and the socket must be closed.</summary>
    public static bool Take(Turn turn, BoxFrame.Event frame)
    {
        var cursor = turn.State.Bridge!;
        if (frame.N <= cursor.N) return true;
        if (frame.N != cursor.N + 1) return false;
        turn.Record(new Fact.BridgeAdvanced(frame.N));
        BoxEvents.Show(turn, frame);
        return true;
    }

    private static void Greet(Turn turn, BridgeHello hello)
    {
        var phase = turn.State.Sandbox.Phase;
        if (phase is SandboxPhase.Connected or SandboxPhase.Ready) return;
        turn.Record(phase == SandboxPhase.Silent ? new Fact.SandboxHeard(turn.Now) : new Fact.SandboxConnected(turn.Now));
        turn.Show("sandbox.connected", null, json =>
        {
            json.WriteString("sandboxId", hello.Sandbox.ToString());
            json.WriteNumber("generation", hello.Generation);
        });
    }

    /// <summary>
    /// A new spool in a box we know means that its disk was lost or rewound, and what it had not told us is gone; or that we went back behind what it had acknowledged.
    /// Then its record has every message that it was asked for: one that it does not name was mostly on its way when it left, and is asked for again.
    /// </summary>
    private static void OpenSpool(Turn turn, BridgeHello hello)
    {
        var known = turn.State.Bridge is { } bridge && bridge.Generation == hello.Generation ? bridge : null;
        if (known?.SpoolId == hello.SpoolId) return;
        turn.Record(new Fact.BridgeSpoolOpened(hello.Generation, hello.SpoolId));
        if (known is null) return;
        var wentBack = hello.RenewedFrom == known.SpoolId;
        turn.Show("events.lost", null, json => json.WriteString("reason", wentBack ? "The database went back, and lacks what the box had told before." : "The box lost its record of events that were not acknowledged."));
        if (!wentBack && turn.State.Running is { } running && hello.Messages.All(m => m.Id != running.Id))
            Endings.Interrupted(turn, running, "The box lost its record of the message; what it did is not known.");
    }

    /// <summary>
    /// What has ended there is still to be asked for, though: its end may have been told before a restore made the session forget it, and
    /// taken while the message waited for its turn. The box answers from its record.
    /// </summary>
    private static void SettleRunning(Turn turn, BridgeHello hello)
    {
        if (turn.State.Running is not { } running) return;
        var known = hello.Messages.FirstOrDefault(m => m.Id == running.Id);
        if (known?.State == KnownMessageState.Unknown)
            Endings.Failed(turn, running, "outcome_unknown", "The box's program ended while the message ran; what the agent did is not known. Look at the workspace before you retry.", retryable: true);
        else if (known?.State == KnownMessageState.Accepted && running.Status == MessageStatus.Dispatched)
            BoxEvents.Started(turn, running);
        else if (known is null && running.Status == MessageStatus.Running)
            Endings.Interrupted(turn, running, "The box does not know the message any more.");
    }
}
