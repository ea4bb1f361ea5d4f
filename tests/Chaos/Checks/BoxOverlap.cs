namespace Coordinator.Tests.Chaos.Checks;

/// <summary>One live program of a box, and whose it is.</summary>
internal readonly record struct LiveBox(string Session, string Box);

/// <summary>
/// Finds sessions that have two boxes at once. A new box is asked for only when the last has ended, so that not even one that is stopping may
/// be seen beside it; a look at all processes is not one moment, though, so that two count only once two looks in a row had both.
/// </summary>
internal sealed class BoxOverlap
{
    private readonly HashSet<string> told = new(StringComparer.Ordinal);
    private HashSet<LiveBox> before = [];

    /// <summary>What this look adds to what was found already.</summary>
    public IReadOnlyList<Finding> Look(IEnumerable<LiveBox> live)
    {
        HashSet<LiveBox> now = [.. live];
        var both = now.Where(before.Contains).GroupBy(box => box.Session).Where(session => session.Count() > 1 && told.Add(session.Key)).ToList();
        before = now;
        return [.. both.Select(session => new Finding(FindingKind.OrphanBox, session.Key, $"has boxes beside each other: {string.Join(", ", session.Select(box => box.Box).Order())}"))];
    }
}
