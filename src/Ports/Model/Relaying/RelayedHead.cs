using System.Text.Json.Serialization;

namespace Coordinator.Ports.Models.Relaying;

/// <summary>The status and the headers of a relayed answer, as they would be those of an answer that is not.</summary>
public sealed record RelayedHead(int Status, IReadOnlyDictionary<string, string[]> Headers);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RelayedHead))]
internal sealed partial class RelayedHeadJson : JsonSerializerContext;
