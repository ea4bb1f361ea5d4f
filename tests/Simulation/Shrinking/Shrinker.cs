namespace Coordinator.Tests.Simulation.Shrinking;

/// <summary>
/// Makes a failing run smaller while it breaks the same invariant: fewer hosts and sessions, and, by delta debugging, fewer
/// of the things that happen. Bounded in runs, so that a red build does not wait for the very smallest.
/// </summary>
internal static class Shrinker
{
    private const int MostRuns = 400;

    public static Failure Shrink(Failure failure)
    {
        var left = MostRuns;
        var smallest = failure;
        var whole = failure.Run.InFull();
        Try(whole);
        if (!Try(whole with { Hosts = 1, Sessions = 1 }) && !Try(whole with { Sessions = 1 })) Try(whole with { Hosts = 1 });
        var kept = whole.Happenings!.ToList();
        for (var chunk = Math.Max(1, kept.Count / 2); chunk >= 1 && left > 0; chunk /= 2)
        {
            for (var at = 0; at < kept.Count && left > 0;)
            {
                var fewer = kept.Take(at).Concat(kept.Skip(at + chunk)).ToList();
                if (Try(smallest.Run with { Happenings = fewer })) kept = fewer;
                else at += chunk;
            }
        }

        return smallest;

        bool Try(SimRun run)
        {
            left--;
            if (Failure.Of(run, failure.Mutation) is not { } again || again.Invariant != failure.Invariant) return false;
            smallest = again;
            return true;
        }
    }
}
