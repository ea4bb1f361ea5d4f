using System.Globalization;
using System.Text;

namespace Coordinator.Sandbox.Shim;

/// <summary>The first part of an HTTP/1.1 request, as a tool in the box sent it.</summary>
internal sealed record RequestHead(string Method, string Target, string Version, IReadOnlyList<KeyValuePair<string, string>> Headers)
{
    private const int MaxHeaders = 128;

    private static readonly HashSet<string> HopByHop = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Host", "Content-Length", "Expect",
    };

    /// <summary>The first value of a header, or null.</summary>
    public string? this[string name] =>
        Headers.Where(header => string.Equals(header.Key, name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value).FirstOrDefault();

    public bool IsChunked => this["Transfer-Encoding"] is { } coding && coding.EndsWith("chunked", StringComparison.OrdinalIgnoreCase);

    public bool ExpectsContinue => string.Equals(this["Expect"], "100-continue", StringComparison.OrdinalIgnoreCase);

    public static bool IsHopByHop(string name) => HopByHop.Contains(name);

    /// <summary>The body's length: 0 without one, null when the header makes no sense or is given twice with two values.</summary>
    public long? ContentLength()
    {
        var values = Headers.Where(header => string.Equals(header.Key, "Content-Length", StringComparison.OrdinalIgnoreCase)).Select(header => header.Value).Distinct(StringComparer.Ordinal).ToArray();
        if (values.Length == 0) return 0;
        return values.Length == 1 && long.TryParse(values[0], NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length : null;
    }

    /// <summary>
    /// Reads a head without its closing empty line. Null for whatever is not one: strict, because what two readers take
    /// differently is how one request is smuggled behind another.
    /// </summary>
    public static RequestHead? Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.ContainsAnyExceptInRange((byte)0x09, (byte)0x7E)) return null;
        var lines = Encoding.ASCII.GetString(bytes).Split("\r\n");
        if (lines.Length > MaxHeaders + 1 || lines.Any(line => line.AsSpan().ContainsAny('\r', '\n'))) return null;
        if (lines[0].Split(' ') is not [var method, var target, "HTTP/1.1" or "HTTP/1.0"] || target.Length == 0 || !IsToken(method)) return null;

        var headers = new List<KeyValuePair<string, string>>(lines.Length - 1);
        foreach (var line in lines.Skip(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || !IsToken(line[..colon])) return null;
            headers.Add(new(line[..colon], line[(colon + 1)..].Trim(' ', '\t')));
        }

        return new(method, target, lines[0][^8..], headers);
    }

    private static bool IsToken(string text) => text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal));
}
