namespace Coordinator.Bench.Measuring;

/// <summary>One figure. <see cref="Below"/> is the target, when there is one: the value must be under it.</summary>
internal sealed record Measurement(string Area, string Name, double Value, string Unit, double? Below = null)
{
    public bool? IsMet => Below is { } target ? Value < target : null;
}
