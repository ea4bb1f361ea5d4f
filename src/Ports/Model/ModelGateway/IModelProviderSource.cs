using Coordinator.Ports.Compute;

namespace Coordinator.Ports.Models;

/// <summary>
/// Providers that this process brings along itself, such as the demo model. A gateway asks at each call, because their
/// address may be known only once the host listens. Every registered source is asked, in no order.
/// </summary>
public interface IModelProviderSource
{
    /// <summary>The provider of this name, or null when it is not this source's, or cannot be reached yet.</summary>
    BuiltInModelProvider? Find(string name);

    /// <summary>The providers that this source offers now.</summary>
    IReadOnlyList<BuiltInModelProvider> List();
}

/// <summary>
/// A provider inside the deployment: its base URL is trusted (loopback is fine) and its key belongs to the deployment,
/// never to a tenant.
/// </summary>
public sealed record BuiltInModelProvider(string Name, string DisplayName, Uri BaseUrl, string ApiKey, ModelWire Wire, bool IsDemo)
{
    /// <summary>Never prints the key.</summary>
    public override string ToString() => $"model provider {Name} at {BaseUrl}";
}
