namespace Coordinator.Sandbox.HostLink;

/// <summary>Where the control plane is: behind a unix socket that is mounted into the box, or at an address.</summary>
/// <param name="SocketPath">Set for a unix socket.</param>
/// <param name="BaseAddress">What requests are addressed to; a made-up host name behind a unix socket.</param>
internal sealed record HostEndpoint(string? SocketPath, Uri BaseAddress)
{
    private const string UnixScheme = "unix:";

    /// <summary>A host on the same machine comes back within a second; an address may be asked by a thousand boxes at once.</summary>
    public bool IsSameMachine => SocketPath is not null;

    public Uri WebSocketAddress(string path) =>
        new UriBuilder(new Uri(BaseAddress, path)) { Scheme = BaseAddress.Scheme == Uri.UriSchemeHttps ? Uri.UriSchemeWss : Uri.UriSchemeWs }.Uri;

    /// <summary>Null when the text is no endpoint.</summary>
    public static HostEndpoint? TryParse(string? text)
    {
        if (text is null) return null;
        if (text.StartsWith(UnixScheme, StringComparison.Ordinal))
        {
            var path = text[UnixScheme.Length..];
            return Path.IsPathFullyQualified(path) ? new(path, new Uri("http://coordinator.local/")) : null;
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0 || uri.UserInfo.Length > 0) return null;
        return uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp ? new(null, new Uri(uri.GetLeftPart(UriPartial.Authority) + "/")) : null;
    }
}
