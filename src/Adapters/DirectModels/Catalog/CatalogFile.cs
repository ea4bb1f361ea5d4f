using Coordinator.Ports.Models;

namespace Coordinator.Adapters.DirectModels.Catalog;

/// <summary>A catalog as a file: the day its prices were looked up, and the models.</summary>
internal sealed record CatalogFile(DateOnly AsOf, IReadOnlyList<ModelEntry> Models);
