using System.Text.Json.Serialization;
using Coordinator.Ports;

namespace Coordinator.Adapters.LocalSandbox.Launch;

/// <summary>What the program in the box reads at its start (docs/protocol.md section 5).</summary>
internal sealed record BoxConfiguration(
    string Endpoint,
    string Token,
    SandboxId Sandbox,
    int Generation,
    string Workspace,
    string Home,
    string State,
    IReadOnlyDictionary<string, string> Agents,
    int AgentStartSeconds,
    long DiskBytes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BoxConfiguration))]
internal sealed partial class BoxConfigurationJson : JsonSerializerContext;
