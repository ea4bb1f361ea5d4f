namespace Coordinator.Ports.Models;

/// <summary>Which models exist, how large their contexts are and what they cost. A model that is not listed can still be used; its cost is then unknown and counted as zero.</summary>
[Port(Plane.Model)]
public interface IModelCatalog
{
    /// <summary>The entry of a full model name (<c>provider/model</c>), or null.</summary>
    ValueTask<ModelEntry?> FindAsync(string model, CancellationToken cancellationToken);

    /// <summary>Every entry, by full name.</summary>
    ValueTask<IReadOnlyList<ModelEntry>> ListAsync(CancellationToken cancellationToken);
}

/// <summary>Prices in US dollars per million tokens.</summary>
public sealed record ModelEntry(
    string Model,
    string DisplayName,
    int ContextTokens,
    int OutputTokens,
    decimal InputPrice,
    decimal OutputPrice,
    decimal CacheReadPrice,
    decimal CacheWritePrice);
