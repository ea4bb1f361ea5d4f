using System.Globalization;
using System.Net;

namespace Coordinator.Sandbox.Shim;

/// <summary>What a tool asks the proxy to reach. <see cref="Path"/> is null for a tunnel.</summary>
internal sealed record ProxyTarget(string Host, int Port, string? Path)
{
    private const int MaxHost = 253;

    /// <summary>What goes into <c>Host:</c>.</summary>
    public string Authority => (Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host) + (Path is not null && Port == 80 ? "" : string.Create(CultureInfo.InvariantCulture, $":{Port}"));

    /// <summary>Reads the target of <c>CONNECT host:port</c>.</summary>
    public static ProxyTarget? ParseTunnel(string target)
    {
        var colon = target.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(target.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)) return null;
        return Create(target[..colon], port, null);
    }

    /// <summary>Reads the target of a plain request through a proxy: <c>http://host[:port]/path</c>.</summary>
    public static ProxyTarget? ParseAbsolute(string target)
    {
        if (!Uri.TryCreate(target, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttp || uri.UserInfo.Length > 0) return null;
        return Create(uri.Host, uri.Port, uri.PathAndQuery);
    }

    private static ProxyTarget? Create(string host, int port, string? path)
    {
        var name = host.StartsWith('[') && host.EndsWith(']') ? host[1..^1] : host;
        if (name.Length is 0 or > MaxHost || port is < 1 or > 65535) return null;
        var isAddress = IPAddress.TryParse(name, out _);
        var isName = name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_') && char.IsAsciiLetterOrDigit(name[0]);
        return isAddress || isName ? new(name, port, path) : null;
    }
}
