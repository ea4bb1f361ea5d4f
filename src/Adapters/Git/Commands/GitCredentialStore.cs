using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Identity;

namespace Coordinator.Adapters.Git.Commands;

/// <summary>
/// The credential an organization stored for a git host: the secret <c>git/{host}</c>, either a token or
/// <c>{"username":"…","password":"…"}</c>.
/// </summary>
internal sealed class GitCredentialStore(ITenantDirectory directory, ITenantVault vault)
{
    /// <summary>The user name that hosts ignore or expect beside a token.</summary>
    private const string TokenUser = "x-access-token";

    public static string SecretOf(string host) => $"git/{host.ToLowerInvariant()}";

    public async ValueTask<GitCredential?> FindAsync(OrganizationId organization, string host, CancellationToken cancellationToken)
    {
        if (Uri.CheckHostName(host) is not (UriHostNameType.Dns or UriHostNameType.IPv4)) return null;
        var name = SecretOf(host);
        if (await directory.FindSecretAsync(organization, name, cancellationToken) is not { } stored) return null;
        var plaintext = await vault.OpenAsync(organization, name, stored.Sealed, cancellationToken);
        var text = Encoding.UTF8.GetString(plaintext).Trim();
        CryptographicOperations.ZeroMemory(plaintext);
        return Read(text);
    }

    /// <summary>Null for what cannot be spoken to git: its credential protocol has lines.</summary>
    private static GitCredential? Read(string text)
    {
        var credential = new GitCredential(TokenUser, text, null);
        if (text.StartsWith('{'))
        {
            try
            {
                var pair = JsonSerializer.Deserialize(text, GitJson.Default.StoredGitCredential);
                credential = new(pair?.Username ?? TokenUser, pair?.Password ?? string.Empty, null);
            }
            catch (JsonException)
            {
                return null;
            }
        }

        var isSpeakable = credential.Password.Length > 0 && !$"{credential.Username}{credential.Password}".Any(char.IsControl);
        return isSpeakable ? credential : null;
    }
}

/// <summary>The JSON form of a stored credential.</summary>
internal sealed record StoredGitCredential(string? Username, string? Password)
{
    public override string ToString() => "stored git credential";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StoredGitCredential))]
internal sealed partial class GitJson : JsonSerializerContext;
