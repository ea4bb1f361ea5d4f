using Coordinator.Ports.Compute;

namespace Coordinator.Ports.Models;

/// <summary>
/// Where a (tenant, model) call goes and with which credential. The tenant's key is added here and never leaves the
/// control plane. Providers are data: any OpenAI-compatible base URL, Anthropic, OpenAI and the like.
/// </summary>
[Port(Plane.Model)]
public interface IModelGateway
{
    /// <summary>
    /// Says whether calls to a model can be made, without making one. Problems: <c>model_invalid</c> (422: not
    /// provider/model), <c>model_provider_unknown</c> (422), <c>model_key_missing</c> (422: names the secret to set).
    /// </summary>
    ValueTask<Result<ModelRoute>> ResolveAsync(OrganizationId organization, string model, CancellationToken cancellationToken);

    /// <summary>
    /// Sends one call and returns as soon as the upstream's status and headers are there; the body streams. An upstream
    /// refusal (401, 429, 5xx …) is a response, not a failure. Problems: those of <see cref="ResolveAsync"/>.
    /// </summary>
    /// <exception cref="PortException">No response at all: <see cref="PortFailureKind.Unavailable"/> or <see cref="PortFailureKind.Timeout"/>.</exception>
    ValueTask<Result<ModelResponse>> SendAsync(OrganizationId organization, ModelRequest request, CancellationToken cancellationToken);

    /// <summary>The providers this deployment knows, with whether the organization has what each needs.</summary>
    ValueTask<IReadOnlyList<ModelProviderInfo>> ListProvidersAsync(OrganizationId organization, CancellationToken cancellationToken);
}

/// <summary>Where calls to a model go. Holds no credential.</summary>
public sealed record ModelRoute(string Provider, string UpstreamModel, ModelWire Wire, bool IsDemo);

/// <summary>A call as the agent made it: the wire's path below the provider (<c>chat/completions</c>) and the JSON body.</summary>
public sealed record ModelRequest(string Model, string Path, ReadOnlyMemory<byte> Body, IReadOnlyDictionary<string, string> Headers);

/// <summary>The upstream's answer. Dispose to end the call; disposing early cancels it upstream.</summary>
public sealed class ModelResponse(int status, IReadOnlyDictionary<string, string> headers, Stream body, IAsyncDisposable owner) : IAsyncDisposable
{
    /// <summary>The HTTP status, as the upstream gave it.</summary>
    public int Status { get; } = status;

    /// <summary>Content-Type and Retry-After, when given.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; } = headers;

    /// <summary>The body as it comes; reading it is reading from the upstream.</summary>
    public Stream Body { get; } = body;

    /// <summary>Ends the call.</summary>
    public ValueTask DisposeAsync() => owner.DisposeAsync();
}

/// <summary><see cref="SecretName"/> is the organization secret that holds the key; null when none is needed.</summary>
public sealed record ModelProviderInfo(string Name, string DisplayName, string? SecretName, bool Ready, bool IsDemo);
