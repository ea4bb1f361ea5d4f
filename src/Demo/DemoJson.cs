using System.Text.Json.Serialization;
using Coordinator.Demo.Model;

namespace Coordinator.Demo;

/// <summary>The JSON the demo writes for tools.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ShellArguments))]
[JsonSerializable(typeof(WriteArguments))]
[JsonSerializable(typeof(Repository.SampleDescription))]
internal sealed partial class DemoJson : JsonSerializerContext;
