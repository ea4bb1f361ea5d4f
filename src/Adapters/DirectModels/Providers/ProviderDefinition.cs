using System.Text.Json.Serialization;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.DirectModels.Providers;

/// <summary>
/// A provider as data: where it is, what it speaks and how it wants its key. Without <see cref="BaseUrl"/> only an
/// organization's own secret can say where it is. <see cref="SecretName"/> defaults to <c>models/{name}</c>.
/// </summary>
internal sealed record ProviderDefinition(
    string Name,
    string DisplayName,
    Uri? BaseUrl,
    ModelWire Wire,
    ProviderAuth Auth,
    string? SecretName,
    IReadOnlyDictionary<string, string>? Headers)
{
    /// <summary>The organization secret that holds the key, or the provider's whole description.</summary>
    [JsonIgnore]
    public string Secret => SecretName ?? ProviderNames.SecretOf(Name);

    /// <summary>Nobody can call it without the organization's secret.</summary>
    [JsonIgnore]
    public bool NeedsSecret => BaseUrl is null || Auth is ProviderAuth.Bearer or ProviderAuth.XApiKey;
}

/// <summary>How a provider wants its key.</summary>
public enum ProviderAuth
{
    /// <summary><c>Authorization: Bearer</c>.</summary>
    Bearer,

    /// <summary><c>x-api-key</c>.</summary>
    XApiKey,

    /// <summary>A bearer key when there is one; without one it is called bare, as a server on one's own machine.</summary>
    Optional,
}
