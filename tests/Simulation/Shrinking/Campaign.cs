using System.Diagnostics;

namespace Coordinator.Tests.Simulation.Shrinking;

/// <summary>
/// Runs fresh seeds, each in a world of its own on one thread, on as many threads as there are cores, until the time is
/// used up or a few have failed.
/// </summary>
internal sealed class Campaign(long firstSeed, TimeSpan budget, int mostFailures = 5)
{
    private readonly Lock gate = new();
    private readonly List<Failure> failures = [];
    private long nextSeed = firstSeed;
    private long worlds;
    private long steps;
    private long machineSteps;

    public IReadOnlyList<Failure> Failures => failures;

    public long Worlds => worlds;

    /// <summary>Things done in all worlds: a step of a machine, a frame delivered, a statement executed, a fault played.</summary>
    public long Steps => steps;

    /// <summary>Steps of session machines among them.</summary>
    public long MachineSteps => machineSteps;

    public TimeSpan Took { get; private set; }

    public void Run()
    {
        var watch = Stopwatch.StartNew();
        var threads = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(() => RunUntil(watch)) { IsBackground = true }).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        Took = watch.Elapsed;
    }

    private void RunUntil(Stopwatch watch)
    {
        while (watch.Elapsed < budget)
        {
            var failure = Failure.Of(new(Interlocked.Increment(ref nextSeed) - 1), Mutations.Mutation.None, null, out var world);
            lock (gate)
            {
                worlds++;
                steps += world.Steps;
                machineSteps += world.MachineSteps;
                if (failure is not null) failures.Add(failure);
                if (failures.Count >= mostFailures) return;
            }
        }
    }
}
