namespace Coordinator.Bench.Measuring;

/// <summary>One figure against another where both were taken turn by turn, so that each meets the same machine.</summary>
internal static class Ratio
{
    /// <summary>The one in the middle of the ratios of each turn.</summary>
    public static double OfTurns(IEnumerable<double> ones, IEnumerable<double> others)
    {
        var ratios = ones.Zip(others, (one, other) => one / other).Order().ToList();
        return ratios[ratios.Count / 2];
    }
}
