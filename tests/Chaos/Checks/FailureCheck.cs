using System.Globalization;
using System.Text.Json;
using Coordinator.Tests.Chaos.Strikes;
using Coordinator.Tests.Support.Following;

namespace Coordinator.Tests.Chaos.Checks;

/// <summary>Whether every turn that failed was in a box that was struck: what is done to hosts, databases and networks costs a turn time and nothing else.</summary>
internal static class FailureCheck
{
    public static IEnumerable<Finding> Of(SessionEvidence session)
    {
        foreach (var end in session.Journal.Where(e => e.Type == "message.failed"))
        {
            if (session.Struck.Any(strike => strike.At <= end.At && Reaches(session, strike, end))) continue;
            yield return new(FindingKind.FailedTurn, session.Session, string.Create(CultureInfo.InvariantCulture, $"{end.MessageId} failed in event {end.Seq}, and nothing of its box was struck: {end.Data}"));
        }
    }

    /// <summary>A struck link reaches no turn: it is a network. A struck box takes down what it was given until it is replaced, a struck agent what it does or is to do next.</summary>
    private static bool Reaches(SessionEvidence session, BoxStrike strike, ShownEvent end)
    {
        if (strike.Kind == StrikeKind.BoxLink) return false;
        var earlier = session.Journal.TakeWhile(e => e.Seq < end.Seq).ToList();
        var dispatched = earlier.FirstOrDefault(e => e.Type == "message.dispatched" && e.MessageId == end.MessageId);
        if (strike.Kind == StrikeKind.Agent && dispatched is not null)
            return strike.At >= (earlier.LastOrDefault(e => e.Type == "message.dispatched" && e.Seq < dispatched.Seq) ?? dispatched).At;
        var box = dispatched is null ? null : Box(dispatched);
        return earlier.LastOrDefault(e => e.Type == "sandbox.requested" && (box is null || Box(e) == box)) is { } made && strike.At >= made.At;
    }

    private static string? Box(ShownEvent e)
    {
        using var data = JsonDocument.Parse(e.Data);
        return data.RootElement.GetProperty("sandboxId").GetString();
    }
}
