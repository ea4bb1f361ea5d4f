using System.Collections.Immutable;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.State;

/// <summary>
/// The idempotency keys of prompts, cancels and answers as they came, so that those that are forgotten are found at its head: a program's session
/// remembers a day of them, and no prompt may cost a look at each. Follows from <see cref="SessionState.Requests"/> and is kept in no snapshot.
/// </summary>
internal static class RequestOrder
{
    /// <summary>Where a request stands in <see cref="SessionState.Requests"/>.</summary>
    public static string KeyOf(RequestIdentity request) => $"{request.Scope}\n{request.Key}";

    /// <summary>Takes a request in, and forgets those that are older than <see cref="FoldFormat.RequestMemory"/> by then.</summary>
    public static SessionState Remember(SessionState state, string key, RememberedRequest request)
    {
        var (requests, order) = (state.Requests, state.RequestsByAge ?? Of(state.Requests));
        for (var forgotten = request.At - FoldFormat.RequestMemory; !order.IsEmpty && order.Peek().Value.At < forgotten;)
        {
            order = order.Dequeue(out var oldest);

            // A key that was used again since stands further behind, with that use.
            if (requests.TryGetValue(oldest.Key, out var present) && present.At < forgotten) requests = requests.Remove(oldest.Key);
        }

        return state with { Requests = requests.SetItem(key, request), RequestsByAge = order.Enqueue(new(key, request)) };
    }

    private static ImmutableQueue<KeyValuePair<string, RememberedRequest>> Of(ImmutableDictionary<string, RememberedRequest> requests) =>
        ImmutableQueue.CreateRange(requests.OrderBy(request => request.Value.At));
}
