using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports.Identity;

namespace Coordinator.Adapters.LocalIdentity;

/// <summary>The text of a credential: a prefix that says its kind, and 256 random bits in base64url.</summary>
internal static class CredentialSecret
{
    private const int Size = 32;
    private const int LongestText = 128;

    public static string New(CredentialKind kind)
    {
        Span<byte> secret = stackalloc byte[Size];
        RandomNumberGenerator.Fill(secret);
        return PrefixOf(kind) + Base64Url.EncodeToString(secret);
    }

    /// <summary>True when a text could be a secret of that kind, so that junk costs no look-up.</summary>
    public static bool HasForm(CredentialKind kind, string text) =>
        text.Length <= LongestText && text.StartsWith(PrefixOf(kind), StringComparison.Ordinal);

    /// <summary>What is stored of a secret. It has 256 bits of its own, so it needs no salt and no slow hash.</summary>
    public static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    /// <summary>What a person recognizes a key by.</summary>
    public static string HintOf(string text) => text[^4..];

    private static string PrefixOf(CredentialKind kind) => kind switch
    {
        CredentialKind.ApiKey => "ck_",
        CredentialKind.BrowserSession => "cs_",
        CredentialKind.SignInLink => "sl_",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "No such kind of credential."),
    };
}
