using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess;

/// <summary>A look at a session that needs no actor, and no host that may have one: what may be shown is durable.</summary>
internal static class JournalledView
{
    public static Problem NotFound { get; } = new("session_not_found", "There is no such session.", ProblemKind.NotFound);

    public static async ValueTask<Result<SessionReply>> ReadAsync(ISessionJournal journal, SessionKey key, CancellationToken cancellationToken) =>
        await journal.FindHeadAsync(key, cancellationToken) is { View.IsEmpty: false } head
            ? new SessionReply.View(new(new(head.Incarnation, head.Seq), head.View))
            : NotFound;
}
