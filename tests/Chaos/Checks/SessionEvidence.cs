using Coordinator.Tests.Chaos.Strikes;
using Coordinator.Tests.Support.Following;

namespace Coordinator.Tests.Chaos.Checks;

/// <summary>A prompt that somebody has sent, known by its word. The message is null when no answer came.</summary>
internal sealed record Asked(string Word, int Count, string? Message);

/// <summary>What one follower was shown.</summary>
internal sealed record FollowedLog(string Who, IReadOnlyList<ShownEvent> Events);

/// <summary>One run of the history.</summary>
internal sealed record RunSpan(string Message, long FirstSeq, long LastSeq);

/// <summary>When something in the session's own box was struck, or its way to the host.</summary>
internal sealed record BoxStrike(StrikeKind Kind, DateTimeOffset At);

/// <summary>Everything that is known of a session that is over.</summary>
/// <param name="Journal">All events, as the API gives them.</param>
/// <param name="Settled">Up to which of them each follower must have been shown; what came later it may have been shown.</param>
/// <param name="PromptsRun">One line per prompt that the agent was given, as the agent noted it.</param>
internal sealed record SessionEvidence(
    string Session,
    IReadOnlyList<ShownEvent> Journal,
    long Settled,
    IReadOnlyList<FollowedLog> Logs,
    IReadOnlyList<Asked> Asked,
    IReadOnlyList<string> PromptsRun,
    IReadOnlyList<RunSpan> Runs,
    IReadOnlyList<BoxStrike> Struck)
{
    /// <summary>The last event of the journal; what was merged counts as often as it was said.</summary>
    public long Last => Journal.Count == 0 ? 0 : Journal[^1].Seq;
}
