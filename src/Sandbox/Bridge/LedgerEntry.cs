using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Sandbox.Events;

namespace Coordinator.Sandbox.Bridge;

/// <summary>
/// What the box has written down about a message. <see cref="End"/> is set once it ended; <see cref="SpoolId"/> is the
/// spool whose <c>message.ended</c> tells it, so that it is told again only when that spool was lost. A cancel of a
/// message that never came is an entry that ended as cancelled: its tombstone.
/// </summary>
internal sealed record LedgerEntry(MessageId Id, KnownMessageState State, MessageEnd? End, string? SpoolId);
