using System.Text.Json.Serialization;
using Coordinator.Modules.Models.Gateway;
using Coordinator.Modules.Models.Listing;
using Coordinator.Modules.Models.Tokens;

namespace Coordinator.Modules.Models;

/// <summary>The JSON this module writes.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(GatewayTokenAnswer))]
[JsonSerializable(typeof(OpenAiError))]
[JsonSerializable(typeof(AnthropicError))]
[JsonSerializable(typeof(ProviderList))]
[JsonSerializable(typeof(ModelList))]
internal sealed partial class ModelsJson : JsonSerializerContext;
