using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coordinator.Modules.Tenancy;

/// <summary>Everything this module's routes read and write.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(SignInBody))]
[JsonSerializable(typeof(SignedIn))]
[JsonSerializable(typeof(MeView))]
[JsonSerializable(typeof(CreateOrganizationBody))]
[JsonSerializable(typeof(OrganizationList))]
[JsonSerializable(typeof(CreateApiKeyBody))]
[JsonSerializable(typeof(CreatedApiKey))]
[JsonSerializable(typeof(ApiKeyList))]
[JsonSerializable(typeof(PutSecretBody))]
[JsonSerializable(typeof(SecretList))]
internal sealed partial class TenancyJson : JsonSerializerContext;
