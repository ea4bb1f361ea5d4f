using System.Collections.Frozen;
using System.Text.Json;
using Coordinator.Ports.Models;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.DirectModels.Catalog;

/// <summary>
/// The models and prices bundled with this release, with a file of the operator's on top. Both are read once, at start;
/// a file that cannot be read stops the start rather than billing by old prices.
/// </summary>
internal sealed class BundledModelCatalog : IModelCatalog
{
    private const string Resource = "Coordinator.Adapters.DirectModels.Catalog.models.json";

    private readonly FrozenDictionary<string, ModelEntry> byName;
    private readonly IReadOnlyList<ModelEntry> all;

    public BundledModelCatalog(IOptions<DirectModelOptions> options)
    {
        var merged = Bundled().Models.ToDictionary(entry => entry.Model, StringComparer.Ordinal);
        if (options.Value.CatalogFile is { } path)
        {
            foreach (var entry in FromFile(path).Models) merged[entry.Model] = entry;
        }

        byName = merged.ToFrozenDictionary(StringComparer.Ordinal);
        all = [.. merged.Values.OrderBy(entry => entry.Model, StringComparer.Ordinal)];
    }

    public ValueTask<ModelEntry?> FindAsync(string model, CancellationToken cancellationToken) => ValueTask.FromResult(byName.GetValueOrDefault(model));

    public ValueTask<IReadOnlyList<ModelEntry>> ListAsync(CancellationToken cancellationToken) => ValueTask.FromResult(all);

    private static CatalogFile Bundled()
    {
        using var stream = typeof(BundledModelCatalog).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"{Resource} is not embedded.");
        return JsonSerializer.Deserialize(stream, DirectModelsJson.Default.CatalogFile)!;
    }

    private static CatalogFile FromFile(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return JsonSerializer.Deserialize(stream, DirectModelsJson.Default.CatalogFile) ?? throw new JsonException("it is empty");
        }
        catch (JsonException exception)
        {
            throw new OptionsValidationException(DirectModelOptions.Section, typeof(DirectModelOptions), [$"{DirectModelOptions.Section}:CatalogFile ({path}) is not a model catalog: {exception.Message}"]);
        }
    }
}
