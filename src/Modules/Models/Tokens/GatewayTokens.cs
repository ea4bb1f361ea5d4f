using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Models.Tokens;

/// <summary>For which box of which session a gateway token speaks, and until when.</summary>
internal sealed record GatewayClaims(SessionKey Key, SandboxId Sandbox, int Generation, DateTimeOffset ExpiresAt);

/// <summary>
/// Makes and reads the tokens boxes call models with:
/// <c>gt_{organization}.{session}.{sandbox}.{generation}.{expiry, Unix seconds}.{HMAC-SHA256, base64url}</c>. They are not
/// stored; that a box is still wanted is asked of its session at each call.
/// </summary>
internal sealed class GatewayTokens(ITokenSigner signer, TimeProvider time)
{
    public const string Prefix = "gt_";

    /// <summary>How long a token works.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    private const string Purpose = "model-gateway-token";
    private const int LongestText = 256;
    private const int Parts = 6;

    public (string Token, DateTimeOffset ExpiresAt) Mint(SessionKey key, BoxCredential box)
    {
        var expiry = (time.GetUtcNow() + Lifetime).ToUnixTimeSeconds();
        var claims = string.Create(CultureInfo.InvariantCulture, $"{key.Organization}.{key.Session}.{box.Sandbox}.{box.Generation}.{expiry}");
        return ($"{Prefix}{claims}.{Base64Url.EncodeToString(Sign(claims))}", DateTimeOffset.FromUnixTimeSeconds(expiry));
    }

    /// <summary>Reads a token that was made here and has not expired; false for anything else.</summary>
    public bool TryRead(string? text, [NotNullWhen(true)] out GatewayClaims? claims)
    {
        claims = null;
        if (text is null || text.Length > LongestText || !text.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        var dot = text.LastIndexOf('.');
        if (dot < Prefix.Length) return false;
        var signed = text[Prefix.Length..dot];
        if (!IsSigned(signed, text.AsSpan(dot + 1)) || Parse(signed) is not { } parsed || parsed.ExpiresAt <= time.GetUtcNow()) return false;
        claims = parsed;
        return true;
    }

    private bool IsSigned(string claims, ReadOnlySpan<char> signature)
    {
        Span<byte> given = stackalloc byte[HMACSHA256.HashSizeInBytes];
        return Base64Url.DecodeFromChars(signature, given, out _, out var length) == OperationStatus.Done
            && CryptographicOperations.FixedTimeEquals(given[..length], Sign(claims));
    }

    private byte[] Sign(string claims) => signer.Sign(Purpose, Encoding.ASCII.GetBytes(claims));

    private static GatewayClaims? Parse(string signed)
    {
        var parts = signed.Split('.');
        if (parts.Length != Parts - 1
            || !OrganizationId.TryParse(parts[0], out var organization)
            || !SessionId.TryParse(parts[1], out var session)
            || !SandboxId.TryParse(parts[2], out var sandbox)
            || !int.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out var generation)
            || !long.TryParse(parts[4], NumberStyles.None, CultureInfo.InvariantCulture, out var expiry)) return null;
        return new(new(organization, session), sandbox, generation, DateTimeOffset.FromUnixTimeSeconds(expiry));
    }
}
