using Coordinator.Tests.Support.Following;

namespace Coordinator.Tests.Chaos.Strikes;

/// <summary>When a session has recovered from a strike at what it stands on, as one of its clients is shown it.</summary>
internal static class Recovery
{
    /// <summary>
    /// True once the turn that ran at the strike has gone on: it said more, or came to its end, afterwards. Of another turn words count only where
    /// none ran, or where that one had ended before the strike, or fails; whether it may is <see cref="Checks.FailureCheck"/>'s question.
    /// </summary>
    public static async Task<bool> OfAsync(ShownLog shown, DateTimeOffset struck, TimeSpan limit, CancellationToken cancellationToken)
    {
        var before = shown.Snapshot();
        if (Running(before) is { } turn)
        {
            var next = await shown.FirstAsync(e => e.MessageId == turn && (e.IsEnd || (Speaks(e) && e.At > struck)), limit, cancellationToken, before.Count);
            if (next is null) return false;
            if (next.At > struck && next.Type != "message.failed") return true;
        }

        return await shown.FirstAsync(e => Speaks(e) && e.At > struck, limit, cancellationToken, before.Count) is not null;
    }

    private static bool Speaks(ShownEvent e) => e.Type == "agent.text";

    private static string? Running(IReadOnlyList<ShownEvent> shown) => shown.LastOrDefault(e => e.Type == "message.dispatched" || e.IsEnd) is { IsEnd: false, MessageId: { } turn } ? turn : null;
}
