using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Coordinator.Ports.Compute.DataPlane;

/// <summary>What a signature covers: <paramref name="Target"/> is path and query exactly as they stand in the request's first line.</summary>
public readonly record struct SignedRequest(string Method, string Target, ReadOnlyMemory<byte> Body);

/// <summary>
/// The signature of one request of the data plane, as the <c>Authorization</c> header carries it:
/// <c>HMAC-SHA256 keyId=…,ts=…,nonce=…,sig=…</c>, over <c>method \n path?query \n ts \n nonce \n sha256(body)</c> (hashes in
/// lower-case hex, <c>ts</c> in Unix seconds). It proves who asks and that nothing was changed; that a request is fresh and
/// comes once is for the verifier to see to, by <see cref="Timestamp"/> and <see cref="Nonce"/>. Pure.
/// </summary>
public sealed record RequestSignature(string KeyId, long Timestamp, string Nonce, string Signature)
{
    /// <summary>The word before the signature in <c>Authorization</c>.</summary>
    public const string Scheme = "HMAC-SHA256";

    /// <summary>How far the two clocks may be apart.</summary>
    public static readonly TimeSpan AllowedSkew = TimeSpan.FromSeconds(300);

    private const int LongestHeader = 512;
    private const int LongestKeyId = 64;
    private const int ShortestNonce = 16;
    private const int LongestNonce = 64;

    /// <summary>Signs a request with the secret that <paramref name="keyId"/> names; <paramref name="nonce"/> is never used twice.</summary>
    public static RequestSignature Create(string keyId, ReadOnlySpan<byte> secret, SignedRequest request, DateTimeOffset now, string nonce)
    {
        var timestamp = now.ToUnixTimeSeconds();
        return new(keyId, timestamp, nonce, Convert.ToHexStringLower(Sign(secret, request, timestamp, nonce)));
    }

    /// <summary>Reads the header's value; false for anything that is not exactly of the form.</summary>
    public static bool TryParse(string? header, [NotNullWhen(true)] out RequestSignature? signature)
    {
        signature = null;
        if (header is null || header.Length > LongestHeader || !header.StartsWith(Scheme + " ", StringComparison.Ordinal)) return false;
        Dictionary<string, string> fields = new(StringComparer.Ordinal);
        foreach (var field in header[(Scheme.Length + 1)..].Split(','))
        {
            var equals = field.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || !fields.TryAdd(field[..equals], field[(equals + 1)..])) return false;
        }

        if (fields.Count != 4 || !fields.TryGetValue("keyId", out var keyId) || !fields.TryGetValue("ts", out var text) || !fields.TryGetValue("nonce", out var nonce) || !fields.TryGetValue("sig", out var sig)) return false;
        if (!IsKeyId(keyId) || !IsNonce(nonce) || sig.Length != 2 * HMACSHA256.HashSizeInBytes || !sig.All(char.IsAsciiHexDigitLower)) return false;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var timestamp)) return false;
        signature = new(keyId, timestamp, nonce, sig);
        return true;
    }

    /// <summary>True for what may name a key: 1 to 64 letters, digits, dots, hyphens and underscores.</summary>
    public static bool IsKeyId(string text) => text.Length is > 0 and <= LongestKeyId && text.All(IsPlain);

    /// <summary>True when this is the signature of that request under that secret. Takes as long whether it is or not.</summary>
    public bool Covers(ReadOnlySpan<byte> secret, SignedRequest request) =>
        CryptographicOperations.FixedTimeEquals(Convert.FromHexString(Signature), Sign(secret, request, Timestamp, Nonce));

    /// <summary>The header's value.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Scheme} keyId={KeyId},ts={Timestamp},nonce={Nonce},sig={Signature}");

    private static byte[] Sign(ReadOnlySpan<byte> secret, SignedRequest request, long timestamp, string nonce)
    {
        var body = Convert.ToHexStringLower(SHA256.HashData(request.Body.Span));
        var text = string.Create(CultureInfo.InvariantCulture, $"{request.Method}\n{request.Target}\n{timestamp}\n{nonce}\n{body}");
        return HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(text));
    }

    private static bool IsNonce(string text) => text.Length is >= ShortestNonce and <= LongestNonce && text.All(IsPlain);

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.';
}
