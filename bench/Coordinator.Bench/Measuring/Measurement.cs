namespace Coordinator.Bench.Measuring;

/// <summary>One figure. <see cref="Below"/> or <see cref="Above"/> is the target, when there is one.</summary>
internal sealed record Measurement(string Area, string Name, double Value, string Unit, double? Below = null, double? Above = null)
{
    public bool? IsMet => (Below, Above) is (null, null) ? null : !(Value >= Below) && !(Value <= Above);
}
