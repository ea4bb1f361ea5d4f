namespace Coordinator.Tests.Simulation.World;

/// <summary>The last lines of what happened. Only a replay keeps one: a run that passes tells nothing.</summary>
internal sealed class Trace(int lines)
{
    private readonly Queue<string> kept = new();

    public IReadOnlyCollection<string> Lines => kept;

    public void Add(long step, TimeSpan at, string what)
    {
        if (kept.Count == lines) kept.Dequeue();
        kept.Enqueue($"{step,7} {at:d\\.hh\\:mm\\:ss\\.fff} {what}");
    }
}
