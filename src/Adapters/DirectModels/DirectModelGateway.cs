using System.Net.Sockets;
using Coordinator.Adapters.DirectModels.Providers;
using Coordinator.Adapters.DirectModels.Upstream;
using Coordinator.Ports;
using Coordinator.Ports.Models;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.DirectModels;

/// <summary>
/// Calls providers directly with the organization's own keys (bring your own key). Nothing is retried here: the agent
/// retries, and a 429 or 5xx passes through to it with its <c>Retry-After</c>.
/// </summary>
internal sealed class DirectModelGateway(TenantProviders providers, UpstreamConnections connections, IOptions<DirectModelOptions> options, TimeProvider time) : IModelGateway
{
    private static readonly string[] PassedHeaders = ["Content-Type", "Retry-After", "x-request-id", "request-id"];

    public async ValueTask<Result<ModelRoute>> ResolveAsync(OrganizationId organization, string model, CancellationToken cancellationToken)
    {
        if (!ProviderNames.TrySplit(model, out var name, out var upstreamModel)) return ModelInvalid(model);
        var found = await providers.FindAsync(organization, name, cancellationToken);
        if (!found.IsSuccess) return found.Problem;
        return new ModelRoute(name, upstreamModel, found.Value.Wire, found.Value.IsDemo);
    }

    public ValueTask<IReadOnlyList<ModelProviderInfo>> ListProvidersAsync(OrganizationId organization, CancellationToken cancellationToken) =>
        providers.ListAsync(organization, cancellationToken);

    public async ValueTask<Result<ModelResponse>> SendAsync(OrganizationId organization, ModelRequest request, CancellationToken cancellationToken)
    {
        if (!ProviderNames.TrySplit(request.Model, out var name, out _)) return ModelInvalid(request.Model);
        var found = await providers.FindAsync(organization, name, cancellationToken);
        if (!found.IsSuccess) return found.Problem;
        var provider = found.Value;

        using var message = UpstreamCall.Create(provider, request);
        var response = await SendAsync(provider, message, cancellationToken);
        try
        {
            var status = (int)response.StatusCode;
            Stream body = new GuardedBody(await response.Content.ReadAsStreamAsync(cancellationToken), provider.Name, options.Value.IdleTimeout, time);
            if (status >= 300) body = new MemoryStream(await Refusal.ReadAsync(body, provider.ApiKey, cancellationToken), writable: false);
            return new ModelResponse(status, HeadersOf(response), body, new Owner(response));
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private async ValueTask<HttpResponseMessage> SendAsync(TenantProvider provider, HttpRequestMessage message, CancellationToken cancellationToken)
    {
        using var firstByte = new CancellationTokenSource(options.Value.FirstByteTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, firstByte.Token);
        try
        {
            return await connections.For(provider.Trusted).SendAsync(message, HttpCompletionOption.ResponseHeadersRead, both.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Either our bound or the handler's on connecting; the first may have reached the provider.
            throw new PortException(PortFailureKind.Timeout, $"The model provider {provider.Name} did not answer in time.", effectMayHaveHappened: firstByte.IsCancellationRequested);
        }
        catch (HttpRequestException exception) when (exception.InnerException is AddressRefusedException refused)
        {
            throw new PortException(PortFailureKind.Rejected, $"The model provider's host {refused.Message} An operator can except it in {DirectModelOptions.Section}:{nameof(DirectModelOptions.AddressExceptions)}.");
        }
        catch (HttpRequestException exception)
        {
            var reached = exception.HttpRequestError is not (HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError);
            var why = exception.HttpRequestError switch
            {
                HttpRequestError.NameResolutionError => "its name does not resolve",
                HttpRequestError.SecureConnectionError => "its certificate is not trusted",
                HttpRequestError.ConnectionError => exception.InnerException is SocketException socket ? $"connecting failed ({socket.SocketErrorCode})" : "connecting failed",
                _ => "the connection broke before an answer came",
            };
            throw new PortException(PortFailureKind.Unavailable, $"The model provider {provider.Name} cannot be reached: {why}.", effectMayHaveHappened: reached);
        }
    }

    private static Dictionary<string, string> HeadersOf(HttpResponseMessage response)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var name in PassedHeaders)
        {
            if (response.Headers.NonValidated.TryGetValues(name, out var values) || response.Content.Headers.NonValidated.TryGetValues(name, out values)) headers[name] = values.ToString();
        }

        return headers;
    }

    private static Problem ModelInvalid(string model) => new(
        "model_invalid",
        $"'{(model.Length > 100 ? model[..100] + "…" : model)}' is not a model: write provider/model, such as anthropic/claude-sonnet-4-5.");

    private sealed class Owner(HttpResponseMessage response) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            response.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
