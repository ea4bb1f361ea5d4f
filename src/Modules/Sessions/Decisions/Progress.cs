using Coordinator.Modules.Sessions.Facts;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>What a session does of its own accord after every step: ask for a box when work waits, hand the next message to a ready one.</summary>
internal static class Progress
{
    public static void Make(Turn turn, IBoxTokenScheme tokens)
    {
        var state = turn.State;
        if (state.Status == SessionStatus.Archived || state.Running is not null || state.QueuedCount == 0) return;
        var box = state.Sandbox;
        if (box.Phase == SandboxPhase.Ready) Dispatch(turn, state.Open[0]);
        else if (!box.IsLive && box.Phase != SandboxPhase.Stopping && !box.MustDestroy) Request(turn, tokens);
    }

    /// <summary>Journaled with the box's generation before it is sent; never again to another one.</summary>
    private static void Dispatch(Turn turn, Message message)
    {
        var box = turn.State.Sandbox;
        var seed = turn.State.HasConversation && !box.Resumed && turn.State.Ended.TrueForAll(m => m.Generation != box.Generation);
        turn.Record(new Fact.MessageDispatched(message.Id, box.Id, box.Generation, seed, turn.State.Seq + 1, turn.Now));
        turn.Show("message.dispatched", message.Id, json =>
        {
            json.WriteString("sandboxId", box.Id.ToString());
            json.WriteNumber("generation", box.Generation);
        });
    }

    private static void Request(Turn turn, IBoxTokenScheme tokens)
    {
        var key = turn.State.Key;
        // What was asked for in a future that a restore lost is unknown here, and may still run: this box is newer than it.
        var generation = Math.Max(turn.State.Sandbox.Generation + 1, turn.State.Incarnation);
        var id = new SandboxId(PrefixedId.Derive("sandbox", key.ToString(), generation.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        turn.Record(new Fact.SandboxRequested(id, generation, Convert.ToHexStringLower(tokens.HashFor(key, id, generation)), turn.Now));
        turn.Show("sandbox.requested", null, json =>
        {
            json.WriteString("sandboxId", id.ToString());
            json.WriteNumber("generation", generation);
        });
    }
}
