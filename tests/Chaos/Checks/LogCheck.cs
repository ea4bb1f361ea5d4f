using System.Globalization;
using Coordinator.Tests.Support.Following;

namespace Coordinator.Tests.Chaos.Checks;

/// <summary>Whether what somebody was shown is the journal, event by event, and the journal one unbroken sequence.</summary>
internal static class LogCheck
{
    public static IEnumerable<Finding> Of(SessionEvidence session)
    {
        for (var place = 0; place < session.Journal.Count; place++)
        {
            if (session.Journal[place].Seq == place + 1) continue;
            yield return new(FindingKind.Missing, session.Session, string.Create(CultureInfo.InvariantCulture, $"in the journal event {session.Journal[place].Seq} stands at place {place + 1}"));
            yield break;
        }

        foreach (var found in session.Logs.SelectMany(log => Of(session, log))) yield return found;
    }

    private static IEnumerable<Finding> Of(SessionEvidence session, FollowedLog log)
    {
        HashSet<long> seen = [];
        var before = 0L;
        foreach (var shown in log.Events)
        {
            if (!seen.Add(shown.Seq))
            {
                yield return Found(FindingKind.Duplicate, $"was shown event {shown.Seq} twice");
                continue;
            }

            if (shown.Seq < before) yield return Found(FindingKind.Reordered, $"was shown event {shown.Seq} after {before}");
            before = Math.Max(before, shown.Seq);
            if (shown.Seq < 1 || shown.Seq > session.Journal.Count) yield return Found(FindingKind.Untrue, $"was shown event {shown.Seq}, and the journal ends at {session.Journal.Count}");
            else if (session.Journal[(int)shown.Seq - 1] is var kept && kept != shown) yield return Found(FindingKind.Untrue, $"was shown {Brief(shown)}, and the journal has {Brief(kept)}");
        }

        var missing = Enumerable.Range(1, session.Settled).Where(seq => !seen.Contains(seq)).ToList();
        if (missing.Count > 0) yield return Found(FindingKind.Missing, $"was not shown {missing.Count} of {session.Settled} events, first event {missing[0]}");

        Finding Found(FindingKind kind, FormattableString what) => new(kind, session.Session, $"{log.Who} {what.ToString(CultureInfo.InvariantCulture)}");
    }

    private static string Brief(ShownEvent e) => string.Create(CultureInfo.InvariantCulture, $"{e.Seq} {e.Type} {e.MessageId} {e.At:O} {(e.Data.Length > 80 ? e.Data[..80] + "…" : e.Data)}");
}
