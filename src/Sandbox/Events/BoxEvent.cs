using Coordinator.Ports;

namespace Coordinator.Sandbox.Events;

/// <summary>One thing to tell the control plane. <see cref="Data"/> is a JSON object of at most <see cref="MaxDataBytes"/>.</summary>
internal sealed record BoxEvent(string Kind, MessageId? Message, ReadOnlyMemory<byte> Data)
{
    public const int MaxDataBytes = 64 * 1024;

    /// <summary>What must survive a crash of the machine, not just of the program: the few events a session's state turns on.</summary>
    public bool IsLandmark => Kind is EventKinds.MessageAccepted or EventKinds.MessageEnded or EventKinds.BootReady or EventKinds.BootFailed
        or EventKinds.PermissionAsked or EventKinds.PermissionConfirmed or EventKinds.AgentFailed;
}

/// <summary>Where the parts of the box put what they have to tell.</summary>
internal interface IBoxEvents
{
    /// <summary>Keeps an event until the control plane has it. Never waits: for events that are few.</summary>
    void Emit(BoxEvent happened);

    /// <summary>
    /// Completes when there is room for more: what reads from the agent waits here first, so that an agent that is
    /// faster than the control plane is slowed down and nothing is dropped.
    /// </summary>
    ValueTask WaitForRoomAsync(CancellationToken cancellationToken);
}
