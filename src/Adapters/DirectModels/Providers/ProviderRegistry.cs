using System.Collections.Frozen;
using System.Text.Json;
using Coordinator.Ports.Compute;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.DirectModels.Providers;

/// <summary>The providers of this deployment: those of the embedded file, as configuration adds to or overrides them.</summary>
internal sealed class ProviderRegistry
{
    private const string Resource = "Coordinator.Adapters.DirectModels.Providers.providers.json";

    private readonly FrozenDictionary<string, ProviderDefinition> byName;

    public ProviderRegistry(IOptions<DirectModelOptions> options)
    {
        var merged = Embedded().ToDictionary(definition => definition.Name, StringComparer.Ordinal);
        foreach (var (name, configured) in options.Value.Providers) merged[name] = Merge(name, merged.GetValueOrDefault(name), configured);
        byName = merged.ToFrozenDictionary(StringComparer.Ordinal);
        All = [.. merged.Values.OrderBy(definition => definition.DisplayName, StringComparer.OrdinalIgnoreCase)];
    }

    public IReadOnlyList<ProviderDefinition> All { get; }

    public ProviderDefinition? Find(string name) => byName.GetValueOrDefault(name);

    private static ProviderDefinition[] Embedded()
    {
        using var stream = typeof(ProviderRegistry).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"{Resource} is not embedded.");
        return JsonSerializer.Deserialize(stream, DirectModelsJson.Default.ProviderDefinitionArray)!;
    }

    private static ProviderDefinition Merge(string name, ProviderDefinition? known, ModelProviderOptions configured) => new(
        name,
        configured.DisplayName ?? known?.DisplayName ?? name,
        configured.BaseUrl ?? known?.BaseUrl,
        configured.Wire ?? known?.Wire ?? ModelWire.OpenAiChat,
        configured.Auth ?? known?.Auth ?? ProviderAuth.Bearer,
        configured.SecretName ?? known?.SecretName,
        Union(known?.Headers, configured.Headers));

    private static Dictionary<string, string> Union(IReadOnlyDictionary<string, string>? known, IReadOnlyDictionary<string, string> configured)
    {
        var union = new Dictionary<string, string>(known ?? new Dictionary<string, string>(), StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in configured) union[name] = value;
        return union;
    }
}
