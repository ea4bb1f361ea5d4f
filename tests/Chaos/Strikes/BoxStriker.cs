using Coordinator.Tests.Chaos.Load;
using Coordinator.Tests.Support.Following;
using Coordinator.Tests.Support.Hosting;

namespace Coordinator.Tests.Chaos.Strikes;

/// <summary>Strikes what belongs to one session, in the middle of a turn.</summary>
internal sealed class BoxStriker(LoadedSession session)
{
    private const string Program = "/opt/coordinator/coordinator-box";
    private const string Agent = "/opt/coordinator/opencode";

    /// <summary>Null when there was nothing of that kind to strike.</summary>
    public async Task<Strike?> StrikeAsync(StrikeKind kind, CancellationToken cancellationToken)
    {
        var words = await session.Socket.Shown.FirstAsync(Speaks, Bounds.Stuck, cancellationToken, session.Socket.Shown.Count);
        if (words is null) return new(kind, null);
        var targets = LiveProcess.Naming(session.Id).Where(process => IsTarget(kind, process.Command)).ToList();
        var from = session.Socket.Shown.Count;
        var (struck, at) = (TimeProvider.System.GetTimestamp(), TimeProvider.System.GetUtcNow());
        if (!targets.ConvertAll(target => target.Kill()).Contains(true)) return null;
        session.Struck.Enqueue(new(kind, at));
        var next = await session.Socket.Shown.FirstAsync(e => Speaks(e) && e.MessageId != words.MessageId, Bounds.Stuck, cancellationToken, from);
        return new(kind, next is null ? null : TimeProvider.System.GetElapsedTime(struck));
    }

    private static bool Speaks(ShownEvent e) => e.Type == "agent.text";

    private static bool IsTarget(StrikeKind kind, string command) => kind switch
    {
        StrikeKind.Bridge => command.StartsWith(Program, StringComparison.Ordinal),
        StrikeKind.Agent => command.Contains($"{Agent} acp", StringComparison.Ordinal),
        StrikeKind.Sandbox => true,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "It is not a box's."),
    };
}
