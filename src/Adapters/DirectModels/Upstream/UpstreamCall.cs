using Coordinator.Adapters.DirectModels.Providers;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Models;
using Flurl;

namespace Coordinator.Adapters.DirectModels.Upstream;

/// <summary>Makes the HTTP request of one call: the provider's address, its headers, its key.</summary>
internal static class UpstreamCall
{
    private const string AnthropicVersion = "anthropic-version";

    /// <summary>What a caller may say for itself. Everything else, credentials above all, is the gateway's to say.</summary>
    private static readonly HashSet<string> Passed = new(StringComparer.OrdinalIgnoreCase) { "Accept", AnthropicVersion, "anthropic-beta", "OpenAI-Beta" };

    public static HttpRequestMessage Create(TenantProvider provider, ModelRequest request)
    {
        var message = new HttpRequestMessage(HttpMethod.Post, new Uri(Url.Combine(provider.BaseUrl.AbsoluteUri, request.Path)))
        {
            Content = new ReadOnlyMemoryContent(request.Body),
        };
        message.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        foreach (var (name, value) in request.Headers.Where(header => Passed.Contains(header.Key))) message.Headers.TryAddWithoutValidation(name, value);
        foreach (var (name, value) in provider.Headers)
        {
            message.Headers.Remove(name);
            message.Headers.TryAddWithoutValidation(name, value);
        }

        if (provider.Wire == ModelWire.AnthropicMessages && !message.Headers.Contains(AnthropicVersion)) message.Headers.Add(AnthropicVersion, "2023-06-01");
        if (provider.ApiKey is { } key)
        {
            if (provider.Auth == ProviderAuth.XApiKey) message.Headers.Add("x-api-key", key);
            else message.Headers.Authorization = new("Bearer", key);
        }

        return message;
    }
}
