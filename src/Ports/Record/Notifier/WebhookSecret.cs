using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Coordinator.Ports.Record;

/// <summary>
/// A key that a sender and a receiver of notifications share, as the Standard Webhooks specification writes it:
/// <c>whsec_</c> and the base64 of 24 to 64 bytes. Its text is told once, to whoever makes it, and never logged.
/// </summary>
public sealed class WebhookSecret
{
    private const string Prefix = "whsec_";
    private const int Shortest = 24;
    private const int Longest = 64;
    private const int Usual = 32;

    private readonly byte[] key;

    private WebhookSecret(byte[] key) => this.key = key;

    internal ReadOnlySpan<byte> Key => key;

    /// <summary>A secret nobody else has.</summary>
    public static WebhookSecret New() => new(RandomNumberGenerator.GetBytes(Usual));

    /// <summary>Reads what <see cref="Reveal"/> writes; false for anything else, also for keys that are too short to be safe.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out WebhookSecret? secret)
    {
        secret = null;
        if (text is null || text.Length > 128 || !text.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        var bytes = new byte[text.Length];
        if (!Convert.TryFromBase64String(text[Prefix.Length..], bytes, out var length) || length is < Shortest or > Longest) return false;
        secret = new(bytes[..length]);
        return true;
    }

    /// <summary>The secret itself, for the one who is to check signatures with it, and for the vault.</summary>
    public string Reveal() => Prefix + Convert.ToBase64String(key);

    /// <summary>Not the secret.</summary>
    public override string ToString() => "a webhook secret";
}
