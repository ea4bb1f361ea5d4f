using System.Text.Json.Serialization;
using Coordinator.Ports.Compute;

namespace Coordinator.Modules.Sandboxes.Repositories;

/// <summary>The JSON of the routes about repositories.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DetectEnvironmentBody))]
[JsonSerializable(typeof(GitCredentialAnswer))]
[JsonSerializable(typeof(DetectedEnvironment))]
internal sealed partial class RepositoriesJson : JsonSerializerContext;
