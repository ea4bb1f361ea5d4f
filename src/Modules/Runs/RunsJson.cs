using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coordinator.Modules.Runs;

/// <summary>Everything this module's routes write.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(RunView))]
[JsonSerializable(typeof(RunPage))]
internal sealed partial class RunsJson : JsonSerializerContext;
