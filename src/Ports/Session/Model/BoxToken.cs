using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Coordinator.Ports.Session;

/// <summary>
/// What a box's token claims: <c>sb_{organization}.{session}.{sandbox}.{generation}.{secret}</c>. Reading it proves
/// nothing; <see cref="SessionCommand.AuthorizeBox"/> with <see cref="Credential"/> does.
/// </summary>
public sealed record BoxToken(SessionKey Key, BoxCredential Credential)
{
    /// <summary>How every box token begins.</summary>
    public const string Prefix = "sb_";

    private const int LongestText = 256;

    /// <summary>Reads a token of the right form; false for anything else. The text itself is not kept.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out BoxToken? token)
    {
        token = null;
        if (text is null || text.Length > LongestText || !text.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        var parts = text[Prefix.Length..].Split('.');
        if (parts.Length != 5 || parts[4].Length == 0) return false;
        if (!OrganizationId.TryParse(parts[0], out var organization) || !SessionId.TryParse(parts[1], out var session)) return false;
        if (!SandboxId.TryParse(parts[2], out var sandbox)) return false;
        if (!int.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out var generation)) return false;
        token = new(new(organization, session), new(sandbox, generation, SHA256.HashData(Encoding.UTF8.GetBytes(text))));
        return true;
    }
}
