using System.Globalization;
using System.Net;

namespace Coordinator.Modules.Sandboxes.Egress;

/// <summary>Host names as they are compared, and the patterns they are compared with.</summary>
internal static class HostPattern
{
    private const string Any = "*";
    private const string Below = "*.";

    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = true };

    /// <summary>
    /// The name in lower-case ASCII without a closing dot, or a literal address in its usual form; null when it is
    /// neither. What only looks like a number (<c>127.1</c>, <c>0x7f000001</c>) is neither: resolvers read it as an address.
    /// </summary>
    public static string? Normalize(string? host)
    {
        if (string.IsNullOrEmpty(host)) return null;
        var bare = host.StartsWith('[') && host.EndsWith(']') ? host[1..^1] : host;
        if (bare.Contains(':', StringComparison.Ordinal) || IsDottedQuad(bare)) return IPAddress.TryParse(bare, out var address) ? address.ToString() : null;
        try
        {
            var name = Idn.GetAscii(bare.TrimEnd('.')).ToLowerInvariant();
            return Uri.CheckHostName(name) == UriHostNameType.Dns && !EndsInNumber(name) ? name : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary><c>*.example.com</c> means what lies below, at any depth, and not <c>example.com</c> itself.</summary>
    public static bool Matches(string pattern, string name) =>
        pattern == Any
        || (pattern.StartsWith(Below, StringComparison.Ordinal)
            ? name.Length > pattern.Length - 1 && name.EndsWith(pattern[1..], StringComparison.OrdinalIgnoreCase)
            : name.Equals(pattern, StringComparison.OrdinalIgnoreCase));

    public static bool IsValid(string pattern) =>
        pattern == Any || Normalize(pattern.StartsWith(Below, StringComparison.Ordinal) ? pattern[Below.Length..] : pattern) is not null;

    private static bool IsDottedQuad(string text) =>
        text.Split('.') is { Length: 4 } parts && parts.All(part => byte.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _));

    /// <summary>A last label of digits, or of hexadecimal after 0x, makes resolvers take the whole for an IPv4 address.</summary>
    private static bool EndsInNumber(string name)
    {
        var last = name[(name.LastIndexOf('.') + 1)..];
        return last.All(char.IsAsciiDigit) || (last.StartsWith("0x", StringComparison.Ordinal) && last[2..].All(char.IsAsciiHexDigit));
    }
}
