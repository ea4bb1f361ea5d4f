using Coordinator.Bench.Driving;

namespace Coordinator.Bench.Measuring;

/// <summary>One of those that take turns: what its turns took, and what its process and all below it computed in them and in no other's.</summary>
internal sealed class TurnTaker(HostProcess process, Func<Task<Latencies>> act)
{
    public Latencies Took { get; } = new();

    public double CpuSeconds { get; private set; }

    /// <summary>All of them once, and that so many times, so that each meets the same machine.</summary>
    public static async Task TakeTurnsAsync(int turns, params TurnTaker[] takers)
    {
        for (var turn = 0; turn < turns; turn++)
            foreach (var taker in takers) await taker.TakeAsync();
    }

    private async Task TakeAsync()
    {
        var before = process.CpuSeconds();
        Took.Add(await act());
        CpuSeconds += process.CpuSeconds() - before;
    }
}
