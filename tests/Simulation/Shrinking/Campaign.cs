using System.Diagnostics;

namespace Coordinator.Tests.Simulation.Shrinking;

/// <summary>A campaign goes on until its time is used up and its steps are made, but never beyond the limit.</summary>
internal sealed record CampaignBudget(TimeSpan Time, long Steps, TimeSpan Limit);

/// <summary>
/// Runs fresh seeds, each in a world of its own on one thread, on as many threads as there are cores, until the budget is
/// used up or a few have failed.
/// </summary>
internal sealed class Campaign(long firstSeed, CampaignBudget budget, int mostFailures = 5)
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

    /// <summary>False when so little was played that no failure means nothing.</summary>
    public bool ShowedEnough => worlds > 0 && machineSteps > 0 && steps >= budget.Steps;

    public string Shown => $"{worlds} worlds, {steps} steps of {budget.Steps} that were to be made, {machineSteps} of them of session machines, in {Took.TotalSeconds:0.0} s of at most {budget.Limit.TotalSeconds:0.0} s.";

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
        while (GoesOn(watch.Elapsed))
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

    private bool GoesOn(TimeSpan elapsed) =>
        elapsed < budget.Limit && (elapsed < budget.Time || Interlocked.Read(ref steps) < budget.Steps);
}
