using System.Security.Cryptography;
using Coordinator.Ports;

namespace Coordinator.Adapters.GitHubApp;

/// <summary>
/// Section <c>GitHubApp</c>: a GitHub App that serves the repositories of the accounts it is installed on, with tokens of
/// an hour for one repository each. Off while <see cref="AppId"/> is empty.
/// </summary>
public sealed class GitHubAppOptions
{
    public const string Section = "GitHubApp";

    /// <summary>Where the addresses are excepted that may be reached beyond the public internet.</summary>
    public const string ExceptionsKey = "Sandbox:Egress:Exceptions";

    /// <summary>The app's client id, or its app id.</summary>
    public string? AppId { get; set; }

    /// <summary>The app's private key, as PEM.</summary>
    public string? PrivateKey { get; set; }

    /// <summary>A file with the app's private key, in place of <see cref="PrivateKey"/>.</summary>
    public string? PrivateKeyFile { get; set; }

    /// <summary>The host whose repositories it serves, as it stands in their URLs. Default <c>github.com</c>.</summary>
    public string Host { get; set; } = "github.com";

    /// <summary>Where the host's REST API is. Default <c>https://api.github.com/</c>.</summary>
    public Uri ApiUrl { get; set; } = new("https://api.github.com/");

    /// <summary>
    /// The accounts (users or organizations of the host) that an organization may use the app for, by the organization's id,
    /// or by <c>*</c> for all. An account that is not listed is not served: that the app is installed there does not say
    /// whose it is here.
    /// </summary>
    public Dictionary<string, string[]> Organizations { get; set; } = new(StringComparer.Ordinal);

    /// <summary>How long one call may take. Default 20 s.</summary>
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>The most files a repository is listed with. Default 200,000.</summary>
    public int MaxFiles { get; set; } = 200_000;

    /// <summary>Entries of <see cref="ExceptionsKey"/> (<see cref="AddressExceptions"/>).</summary>
    public string[] AddressExceptions { get; set; } = [];

    /// <summary>The private key's text, wherever it stands.</summary>
    internal string ReadPrivateKey() => string.IsNullOrWhiteSpace(PrivateKey) ? File.ReadAllText(PrivateKeyFile!) : PrivateKey;

    /// <summary>True when the organization may use the app for this account.</summary>
    internal bool Serves(OrganizationId organization, string account) =>
        new[] { organization.ToString(), "*" }.Any(key => Organizations.TryGetValue(key, out var accounts) && accounts.Contains(account, StringComparer.OrdinalIgnoreCase));

    internal IEnumerable<string> Problems()
    {
        var (hasKey, hasFile) = (!string.IsNullOrWhiteSpace(PrivateKey), !string.IsNullOrWhiteSpace(PrivateKeyFile));
        if (string.IsNullOrWhiteSpace(AppId) && (hasKey || hasFile)) yield return $"{Section}:{nameof(AppId)} is empty, but a private key is set: name the app it belongs to, or take the key away.";
        if (string.IsNullOrWhiteSpace(AppId)) yield break;
        if (hasKey == hasFile) yield return hasKey ? $"{Section}:{nameof(PrivateKey)} and {Section}:{nameof(PrivateKeyFile)} are both set; use one." : $"{Section}:{nameof(AppId)} is set without a private key: set {Section}:{nameof(PrivateKeyFile)}.";
        else if (!hasKey && !File.Exists(PrivateKeyFile)) yield return $"{Section}:{nameof(PrivateKeyFile)} names {PrivateKeyFile}, which is not there.";
        else if (!IsPrivateKey()) yield return $"{Section}: the private key is not an RSA private key in PEM.";
        if (!ApiUrl.IsAbsoluteUri || ApiUrl.Scheme is not ("https" or "http")) yield return $"{Section}:{nameof(ApiUrl)} is {ApiUrl}; it must be an absolute http or https address.";
        if (string.IsNullOrWhiteSpace(Host)) yield return $"{Section}:{nameof(Host)} is empty.";
        if (CallTimeout <= TimeSpan.Zero) yield return $"{Section}:{nameof(CallTimeout)} is {CallTimeout}; it must be above zero.";
        if (MaxFiles <= 0) yield return $"{Section}:{nameof(MaxFiles)} is {MaxFiles}; it must be above zero.";
        foreach (var key in Organizations.Keys.Where(key => key != "*" && !OrganizationId.TryParse(key, out _))) yield return $"{Section}:{nameof(Organizations)} names '{key}', which is neither an organization's id nor '*'.";
    }

    private bool IsPrivateKey()
    {
        try
        {
            using var rsa = RSA.Create();
            rsa.ImportFromPem(ReadPrivateKey());
            return rsa.ExportParameters(true).D is not null;
        }
        catch (Exception failure) when (failure is ArgumentException or CryptographicException or IOException or UnauthorizedAccessException)
        {
            return false; // said by the caller, which must not repeat the text: it may be half of a key
        }
    }
}
