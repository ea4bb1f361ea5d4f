using Coordinator.Ports.Models;

namespace Coordinator.Fakes;

/// <summary>A catalog that holds what a test put into it.</summary>
public sealed class InMemoryModelCatalog(params IReadOnlyList<ModelEntry> entries) : IModelCatalog
{
    /// <summary>One dollar per million input tokens, two per million output tokens, a tenth and a quarter for the cache.</summary>
    public static ModelEntry Priced(string model) => new(model, model, 128_000, 8_192, 1m, 2m, 0.1m, 1.25m);

    /// <summary>Faults of every method.</summary>
    public FaultSwitch Faults { get; } = new();

    public ValueTask<ModelEntry?> FindAsync(string model, CancellationToken cancellationToken) =>
        Faults.Run(() => entries.FirstOrDefault(entry => entry.Model == model), cancellationToken);

    public ValueTask<IReadOnlyList<ModelEntry>> ListAsync(CancellationToken cancellationToken) =>
        Faults.Run(() => entries, cancellationToken);
}
