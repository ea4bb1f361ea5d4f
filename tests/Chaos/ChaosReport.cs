using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Coordinator.Tests.Chaos.Checks;
using Coordinator.Tests.Chaos.Strikes;

namespace Coordinator.Tests.Chaos;

/// <summary>What was struck, how it recovered, and what was found.</summary>
internal sealed class ChaosReport
{
    /// <summary>A recovery that took longer is told by itself.</summary>
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(20);

    private readonly ConcurrentQueue<Strike> strikes = [];
    private readonly ConcurrentQueue<Finding> findings = [];
    private readonly ConcurrentQueue<TimeSpan> turns = [];
    private readonly ConcurrentQueue<string> naps = [];
    private readonly ConcurrentQueue<Upgraded> upgraded = [];
    private int sessions;
    private int merged;
    private readonly ConcurrentQueue<string> ends = [];
    private int events;

    public IReadOnlyCollection<Strike> Strikes => strikes;

    public IReadOnlyCollection<Finding> Findings => findings;

    public void Add(Strike strike)
    {
        strikes.Enqueue(strike);
        if (strike.Recovered is null) Add(new Finding(FindingKind.Stuck, "all", $"nobody was shown an agent's words again after a strike at {strike.Kind}"));
    }

    /// <summary>What was upgraded of one world that began as an older release.</summary>
    public void Add(Upgraded world) => upgraded.Enqueue(world);

    /// <summary>What can be said against a run only once it is over.</summary>
    public void Close()
    {
        if (UpgradeCheck.Of(upgraded) is { } finding) Add(finding);
    }

    public void Add(Finding finding) => findings.Enqueue(finding);

    /// <summary>So many of the sessions were merged when something was struck, or nothing was, and they were woken.</summary>
    public void AddNap(StrikeKind? struck, int merged, int of) => naps.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{struck?.ToString() ?? "nothing"} at {merged} of {of}"));

    public void Add(SessionEvidence session, IEnumerable<TimeSpan> ended)
    {
        Interlocked.Add(ref merged, session.Journal.Count(e => e.From is not null));
        Interlocked.Increment(ref sessions);
        Interlocked.Add(ref events, (int)session.Last);
        foreach (var turn in ended) turns.Enqueue(turn);
        foreach (var end in session.Journal.Where(e => e.IsEnd)) ends.Enqueue(end.Type);
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        text.AppendLine("| Strike | Times | Recovered | p50 | p99 | Worst |").AppendLine("|---|---:|---:|---:|---:|---:|");
        foreach (var kind in strikes.GroupBy(strike => strike.Kind).OrderBy(kind => kind.Key))
        {
            var times = kind.Select(strike => strike.Recovered).OfType<TimeSpan>().Order().ToList();
            text.AppendLine(CultureInfo.InvariantCulture, $"| {kind.Key} | {kind.Count()} | {times.Count} | {At(times, 0.5)} | {At(times, 0.99)} | {At(times, 1)} |");
        }

        foreach (var kind in strikes.Where(strike => strike.Trouble is not null).GroupBy(strike => strike.Kind).OrderBy(kind => kind.Key))
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{kind.Key}: {string.Join(", ", kind.CountBy(strike => strike.Trouble!.Value).OrderBy(trouble => trouble.Key).Select(trouble => $"{trouble.Key} {trouble.Value}"))}");
        if (!naps.IsEmpty) text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{naps.Count} naps, struck in the middle of the merging: {string.Join(", ", naps)}; {merged} merged events.");
        if (!upgraded.IsEmpty) text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"Upgraded: {Upgraded.InAll(upgraded)}.");
        text.AppendLine();
        foreach (var slow in strikes.Where(strike => strike.Recovered > Slow).OrderByDescending(strike => strike.Recovered).Take(10))
            text.AppendLine(CultureInfo.InvariantCulture, $"slow: {slow.Kind} at {slow.At:HH:mm:ss.fff}, {slow.Recovered!.Value.TotalSeconds:0.0} s");
        var asked = turns.Order().ToList();
        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{sessions} sessions, {ends.Count} turns ({Ended("completed")}, {Ended("failed")}, {Ended("cancelled")}), {events:N0} events; a turn from its prompt to its end: p50 {At(asked, 0.5)}, p99 {At(asked, 0.99)}, worst {At(asked, 1)}.").AppendLine();
        text.AppendJoin(", ", Enum.GetValues<FindingKind>().Select(kind => string.Create(CultureInfo.InvariantCulture, $"{findings.Count(finding => finding.Kind == kind)} {Name(kind)}"))).AppendLine();
        foreach (var finding in findings.Take(50)) text.AppendLine(finding.ToString());
        return text.ToString();
    }

    private string Ended(string how) => string.Create(CultureInfo.InvariantCulture, $"{ends.Count(end => end == $"message.{how}")} {how}");

    private static string Name(FindingKind kind) => kind switch
    {
        FindingKind.Missing => "missing",
        FindingKind.Duplicate => "duplicate",
        FindingKind.Reordered => "reordered",
        FindingKind.Stuck => "stuck",
        FindingKind.OrphanBox => "orphan boxes",
        FindingKind.DoubleTurn => "double turns",
        FindingKind.Untrue => "untrue",
        FindingKind.FailedTurn => "failed turns",
        _ => "broken off",
    };

    private static string At(List<TimeSpan> ordered, double share) =>
        ordered.Count == 0 ? "-" : ordered[(int)Math.Ceiling(share * ordered.Count) - 1] is var at && at < TimeSpan.FromSeconds(1)
            ? $"{at.TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture)} s"
            : $"{at.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s";
}
