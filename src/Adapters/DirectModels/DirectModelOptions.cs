using Coordinator.Adapters.DirectModels.Providers;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.DirectModels;

/// <summary>Section <c>Models</c>: which providers there are and how long they may take.</summary>
public sealed class DirectModelOptions
{
    public const string Section = "Models";

    /// <summary>Providers added to, or overriding, the built-in ones, by name.</summary>
    public Dictionary<string, ModelProviderOptions> Providers { get; set; } = new(StringComparer.Ordinal);

    /// <summary>Until the connection stands. Default 10 s.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>From sending the call until the answer's headers. Default 120 s.</summary>
    public TimeSpan FirstByteTimeout { get; set; } = TimeSpan.FromSeconds(120);

    /// <summary>The longest silence inside an answer. Default 120 s.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(120);

    /// <summary>A file of the same form as the bundled catalog, whose entries add to or override it.</summary>
    public string? CatalogFile { get; set; }

    /// <summary>What addresses that organizations give may reach beyond the public internet (<see cref="Ports.AddressExceptions"/>).</summary>
    public string[] AddressExceptions { get; set; } = [];

    /// <summary>Everything wrong with these options; empty when nothing is.</summary>
    internal IEnumerable<string> Problems()
    {
        if (ConnectTimeout <= TimeSpan.Zero) yield return $"{Section}:{nameof(ConnectTimeout)} is {ConnectTimeout}; it must be above zero.";
        if (FirstByteTimeout < ConnectTimeout) yield return $"{Section}:{nameof(FirstByteTimeout)} ({FirstByteTimeout}) is below {nameof(ConnectTimeout)} ({ConnectTimeout}).";
        if (IdleTimeout <= TimeSpan.Zero) yield return $"{Section}:{nameof(IdleTimeout)} is {IdleTimeout}; it must be above zero.";
        if (CatalogFile is not null && !File.Exists(CatalogFile)) yield return $"{Section}:{nameof(CatalogFile)} names {CatalogFile}, which is not there.";
        foreach (var entry in AddressExceptions.Where(entry => !IsException(entry))) yield return $"{Section}:{nameof(AddressExceptions)} holds '{entry}', which is not a host name, an address or a network.";
        foreach (var (name, provider) in Providers)
        {
            if (!ProviderNames.IsProvider(name)) yield return $"{Section}:Providers:{name} is not a provider name (lower-case letters, digits, '-' and '_').";
            if (provider.BaseUrl is { } url && (!url.IsAbsoluteUri || url.Scheme is not ("http" or "https"))) yield return $"{Section}:Providers:{name}:BaseUrl is {url}; it must be an absolute http or https address.";
        }
    }

    private static bool IsException(string entry)
    {
        try
        {
            return Ports.AddressExceptions.Parse([entry]) is not null;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}

/// <summary>One provider in configuration; what is left out stays as built in.</summary>
public sealed class ModelProviderOptions
{
    /// <summary>The address the wire's path is added to, such as <c>https://api.openai.com/v1</c>. Trusted: it may be private.</summary>
    public Uri? BaseUrl { get; set; }

    /// <summary>What people read; default: the name.</summary>
    public string? DisplayName { get; set; }

    /// <summary>What the provider speaks: <c>OpenAiChat</c>, <c>OpenAiResponses</c> or <c>AnthropicMessages</c>. Default for a provider that is not built in: <c>OpenAiChat</c>.</summary>
    public ModelWire? Wire { get; set; }

    /// <summary>How it wants its key: <c>Bearer</c>, <c>XApiKey</c>, or <c>Optional</c> for a server that needs none. Default for a provider that is not built in: <c>Bearer</c>.</summary>
    public ProviderAuth? Auth { get; set; }

    /// <summary>The organization secret with the key; default <c>models/{name}</c>.</summary>
    public string? SecretName { get; set; }

    /// <summary>Headers sent with every call.</summary>
    public Dictionary<string, string> Headers { get; set; } = new(StringComparer.OrdinalIgnoreCase);
}
