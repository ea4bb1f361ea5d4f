using System.Text.Json;
using System.Text.Json.Serialization;
using Coordinator.Adapters.DirectModels.Catalog;
using Coordinator.Adapters.DirectModels.Providers;

namespace Coordinator.Adapters.DirectModels;

/// <summary>The JSON this adapter reads: its embedded files and what organizations keep in their secrets.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true)]
[JsonSerializable(typeof(ProviderDefinition[]))]
[JsonSerializable(typeof(CustomProvider))]
[JsonSerializable(typeof(CatalogFile))]
internal sealed partial class DirectModelsJson : JsonSerializerContext;
