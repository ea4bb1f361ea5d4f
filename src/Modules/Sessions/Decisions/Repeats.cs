using Coordinator.Modules.Sessions.State;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>Requests that the session has taken before, known by their idempotency keys.</summary>
internal static class Repeats
{
    /// <summary>What the key was used for, while it stands for that.</summary>
    public static RememberedRequest? Find(Turn turn, RequestIdentity request) =>
        turn.State.Requests.TryGetValue(RequestOrder.KeyOf(request), out var earlier) && earlier.At > turn.Now - turn.Limits.RequestMemory ? earlier : null;
}
