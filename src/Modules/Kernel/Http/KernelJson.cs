using System.Text.Json;
using System.Text.Json.Serialization;
using Coordinator.Ports;

namespace Coordinator.Modules.Kernel.Http;

/// <summary>What parameters of routes and fields of every module are made of. The host serializes nothing by reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(bool))]
[JsonSerializable(typeof(int))]
[JsonSerializable(typeof(int?))]
[JsonSerializable(typeof(long))]
[JsonSerializable(typeof(decimal))]
[JsonSerializable(typeof(DateTimeOffset))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(OrganizationId))]
[JsonSerializable(typeof(UserId))]
[JsonSerializable(typeof(ApiKeyId))]
[JsonSerializable(typeof(SessionId))]
[JsonSerializable(typeof(SessionId?))]
[JsonSerializable(typeof(MessageId))]
[JsonSerializable(typeof(RunId))]
[JsonSerializable(typeof(PermissionId))]
[JsonSerializable(typeof(SandboxId))]
internal sealed partial class KernelJson : JsonSerializerContext;
