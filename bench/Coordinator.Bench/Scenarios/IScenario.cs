using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>Measures one thing from start to end, leaving nothing behind.</summary>
internal interface IScenario
{
    string Name { get; }

    IAsyncEnumerable<Measurement> RunAsync(CancellationToken cancellationToken);
}
