using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Models;

namespace Coordinator.Adapters.DirectModels.Providers;

/// <summary>
/// Where a provider is for one organization, and with which key. <see cref="Trusted"/> is false when a tenant gave the
/// address, so that connections to it are guarded. Never leaves this adapter.
/// </summary>
internal sealed record TenantProvider(string Name, Uri BaseUrl, ModelWire Wire, ProviderAuth Auth, string? ApiKey, IReadOnlyDictionary<string, string> Headers, bool Trusted, bool IsDemo)
{
    public override string ToString() => $"model provider {Name}";
}

/// <summary>Finds a provider as an organization sees it: built in, configured, or described by its own secret.</summary>
internal sealed class TenantProviders(ProviderRegistry registry, IEnumerable<IModelProviderSource> sources, ITenantDirectory directory, ITenantVault vault)
{
    private static readonly Dictionary<string, string> NoHeaders = [];

    /// <summary>Problems: <c>model_provider_unknown</c>, <c>model_key_missing</c>.</summary>
    public async ValueTask<Result<TenantProvider>> FindAsync(OrganizationId organization, string name, CancellationToken cancellationToken)
    {
        if (BuiltIn(name) is { } builtIn)
            return new TenantProvider(name, builtIn.BaseUrl, builtIn.Wire, ProviderAuth.Bearer, builtIn.ApiKey, NoHeaders, Trusted: true, builtIn.IsDemo);

        var definition = registry.Find(name);
        var secretName = definition?.Secret ?? ProviderNames.SecretOf(name);
        var secret = await OpenSecretAsync(organization, secretName, cancellationToken);
        if (secret is null)
        {
            if (definition is null) return Unknown(name);
            if (definition.NeedsSecret) return KeyMissing(definition, secretName);
        }

        return secret is not null && secret.StartsWith('{')
            ? FromDescription(name, definition, secretName, secret)
            : FromKey(name, definition, secretName, secret);
    }

    public async ValueTask<IReadOnlyList<ModelProviderInfo>> ListAsync(OrganizationId organization, CancellationToken cancellationToken)
    {
        var secrets = await directory.ListSecretsAsync(organization, cancellationToken);
        var stored = secrets.Select(secret => secret.Name).ToHashSet(StringComparer.Ordinal);
        var providers = sources.SelectMany(source => source.List())
            .Select(builtIn => new ModelProviderInfo(builtIn.Name, builtIn.DisplayName, null, Ready: true, builtIn.IsDemo))
            .ToList();
        var taken = providers.Select(provider => provider.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var definition in registry.All.Where(definition => taken.Add(definition.Name)))
            providers.Add(new(definition.Name, definition.DisplayName, definition.Secret, !definition.NeedsSecret || stored.Contains(definition.Secret), IsDemo: false));

        var claimed = registry.All.Select(definition => definition.Secret).ToHashSet(StringComparer.Ordinal);
        foreach (var secret in stored.Where(secret => secret.StartsWith(ProviderNames.SecretPrefix, StringComparison.Ordinal) && !claimed.Contains(secret)).Order(StringComparer.Ordinal))
        {
            var name = secret[ProviderNames.SecretPrefix.Length..];
            if (ProviderNames.IsProvider(name) && taken.Add(name)) providers.Add(new(name, name, secret, Ready: true, IsDemo: false));
        }

        return providers;
    }

    private BuiltInModelProvider? BuiltIn(string name) => sources.Select(source => source.Find(name)).FirstOrDefault(found => found is not null);

    private async ValueTask<string?> OpenSecretAsync(OrganizationId organization, string name, CancellationToken cancellationToken)
    {
        if (await directory.FindSecretAsync(organization, name, cancellationToken) is not { } stored) return null;
        var plaintext = await vault.OpenAsync(organization, name, stored.Sealed, cancellationToken);
        var text = Encoding.UTF8.GetString(plaintext).Trim();
        CryptographicOperations.ZeroMemory(plaintext);
        return text.Length == 0 ? null : text;
    }

    private static Result<TenantProvider> FromKey(string name, ProviderDefinition? definition, string secretName, string? key)
    {
        if (definition?.BaseUrl is not { } baseUrl) return NotADescription(name, secretName);
        if (key is not null && !IsHeaderValue(key)) return new Problem("model_key_missing", $"The secret {secretName} is not a key: it has characters that no key has. Set it anew.");
        return new TenantProvider(name, baseUrl, definition.Wire, definition.Auth, key, definition.Headers ?? NoHeaders, Trusted: true, IsDemo: false);
    }

    private static Result<TenantProvider> FromDescription(string name, ProviderDefinition? definition, string secretName, string json)
    {
        CustomProvider? custom;
        try
        {
            custom = JsonSerializer.Deserialize(json, DirectModelsJson.Default.CustomProvider);
        }
        catch (JsonException)
        {
            return NotADescription(name, secretName);
        }

        var own = custom?.BaseUrl;
        var baseUrl = own ?? definition?.BaseUrl;
        if (custom is null || baseUrl is null || !baseUrl.IsAbsoluteUri || baseUrl.Scheme is not ("https" or "http") || baseUrl.UserInfo.Length > 0) return NotADescription(name, secretName);
        if (custom.ApiKey is { } key && !IsHeaderValue(key)) return NotADescription(name, secretName);
        var wire = custom.Wire ?? definition?.Wire ?? ModelWire.OpenAiChat;
        var auth = definition?.Auth ?? (wire == ModelWire.AnthropicMessages ? ProviderAuth.XApiKey : ProviderAuth.Optional);
        // The deployment's own headers may hold its credentials: they never go to an address that a tenant gave.
        var apiKey = string.IsNullOrWhiteSpace(custom.ApiKey) ? null : custom.ApiKey.Trim();
        return new TenantProvider(name, baseUrl, wire, auth, apiKey, own is null ? definition?.Headers ?? NoHeaders : NoHeaders, Trusted: own is null, IsDemo: false);
    }

    private static bool IsHeaderValue(string key) => key.All(c => c is > ' ' and <= '~');

    private Problem Unknown(string name) => new(
        "model_provider_unknown",
        $"No provider is called '{name}'. Known are {string.Join(", ", registry.All.Select(definition => definition.Name))}; for another OpenAI-compatible one set the secret {ProviderNames.SecretOf(name)} to {CustomProvider.Example}.");

    private static Problem KeyMissing(ProviderDefinition definition, string secretName) => new(
        "model_key_missing",
        definition.BaseUrl is null
            ? $"{definition.DisplayName} has no address yet: set the secret {secretName} to {CustomProvider.Example}."
            : $"{definition.DisplayName} needs a key: set the secret {secretName} to your organization's API key.");

    private static Problem NotADescription(string name, string secretName) => new(
        "model_key_missing",
        $"The secret {secretName} does not say where the provider '{name}' is: set it to {CustomProvider.Example}.");
}
