using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>What those who were with a host that was lost waited for.</summary>
internal sealed class TakeoverTimes
{
    private readonly Latencies followedElsewhere = new();
    private readonly Latencies followedThere = new();
    private readonly Latencies inTurn = new();

    private readonly Latencies first = new();

    /// <summary>Prompts at another host, of all sessions at once, to their answers.</summary>
    public Latencies Prompts { get; } = new();

    /// <summary>What came of one loss: when each session answered, and when its client was shown what came behind it.</summary>
    public void Add(long began, IReadOnlyList<(Standing Standing, long Answered, long Shown)> all)
    {
        first.Add(began, all.Min(one => one.Answered));
        foreach (var (standing, answered, shown) in all)
        {
            Prompts.Add(began, answered);
            (standing switch { Standing.IdleFollowedElsewhere => followedElsewhere, Standing.IdleFollowedThere => followedThere, _ => inTurn }).Add(began, shown);
        }
    }

    /// <param name="p50">What half of everything must be below, if anything is.</param>
    /// <param name="worstPrompt">What each prompt's answer must be below.</param>
    /// <param name="worstShown">What each client's first event must be below, if anything is.</param>
    public IEnumerable<Measurement> Rows(string area, double? p50, double? worstPrompt, double? worstShown) =>
    [
        .. Rows(area, "prompt at another host, of all sessions at once, answered", Prompts, p50, worstPrompt),
        .. Rows(area, "the first of them that was answered", first),
        .. Rows(area, "a prompt, shown to a client that is connected to another host", followedElsewhere, p50, worstShown),
        .. Rows(area, "a prompt, shown to a client that was connected to the lost host", followedThere, p50, worstShown),
        .. Rows(area, "what a box said next in a turn, shown to its client", inTurn, p50, worstShown),
    ];

    public static IEnumerable<Measurement> Rows(string area, string name, Latencies latencies, double? p50 = null, double? worst = null) =>
        [new(area, $"{name}: p50", latencies.Percentile(50), "ms", p50), new(area, $"{name}: worst", latencies.Percentile(100), "ms", worst)];
}
