using System.Globalization;
using Coordinator.Tests.Support.Following;

namespace Coordinator.Tests.Chaos.Checks;

/// <summary>Whether what somebody was shown is the journal, event by event, and the journal one unbroken sequence; of what was merged since, whether it says what its pieces said.</summary>
internal static class LogCheck
{
    public static IEnumerable<Finding> Of(SessionEvidence session)
    {
        var before = 0L;
        foreach (var kept in session.Journal)
        {
            if ((kept.From ?? kept.Seq) == before + 1 && kept.Seq > before)
            {
                before = kept.Seq;
                continue;
            }

            yield return new(FindingKind.Missing, session.Session, string.Create(CultureInfo.InvariantCulture, $"in the journal event {kept.From ?? kept.Seq} follows {before}"));
            yield break;
        }

        foreach (var found in session.Logs.SelectMany(log => Of(session, log))) yield return found;
    }

    private static IEnumerable<Finding> Of(SessionEvidence session, FollowedLog log)
    {
        var kept = session.Journal.ToDictionary(e => e.Seq);
        var merged = session.Journal.Where(e => e.From is not null).ToList();
        Dictionary<long, ShownEvent> seen = [];
        var before = 0L;
        foreach (var shown in log.Events)
        {
            if (!seen.TryAdd(shown.Seq, shown))
            {
                yield return Found(FindingKind.Duplicate, $"was shown event {shown.Seq} twice");
                continue;
            }

            if (shown.Seq < before) yield return Found(FindingKind.Reordered, $"was shown event {shown.Seq} after {before}");
            before = Math.Max(before, shown.Seq);
            if (shown.Seq < 1 || shown.Seq > session.Last) yield return Found(FindingKind.Untrue, $"was shown event {shown.Seq}, and the journal ends at {session.Last}");
            else if (!merged.Any(whole => whole.From <= shown.Seq && shown.Seq <= whole.Seq) && kept[shown.Seq] is var same && same != shown) yield return Found(FindingKind.Untrue, $"was shown {Brief(shown)}, and the journal has {Brief(same)}");
        }

        foreach (var whole in merged.Where(whole => !MergedText.Is(whole, seen))) yield return Found(FindingKind.Untrue, $"was not shown what the journal has merged to {Brief(whole)}");
        var missing = Enumerable.Range(1, (int)session.Settled).Where(seq => !seen.ContainsKey(seq)).ToList();
        if (missing.Count > 0) yield return Found(FindingKind.Missing, $"was not shown {missing.Count} of {session.Settled} events, first event {missing[0]}");

        Finding Found(FindingKind kind, FormattableString what) => new(kind, session.Session, $"{log.Who} {what.ToString(CultureInfo.InvariantCulture)}");
    }

    private static string Brief(ShownEvent e) => string.Create(CultureInfo.InvariantCulture, $"{(e.From is { } from ? $"{from}-" : "")}{e.Seq} {e.Type} {e.MessageId} {e.At:O} {(e.Data.Length > 80 ? e.Data[..80] + "…" : e.Data)}");
}
