using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Coordinator.Host.Starting;

/// <summary>Where people reach this host: <c>PublicUrl</c> when it is set, else the first address it listens on.</summary>
internal sealed class HostAddress(IServer server, IConfiguration configuration)
{
    private static readonly Uri Default = new("http://localhost:8787");

    public Uri Url => Configured ?? Listening ?? Default;

    /// <summary>Where the host itself listens, and beside it where people reach it when that is elsewhere.</summary>
    public string Served => Listening is { } own && own != Url ? $"{Plain(own)}, for people at {Plain(Url)}" : Plain(Url);

    private static string Plain(Uri url) => url.OriginalString.TrimEnd('/');

    private Uri? Configured => Uri.TryCreate(configuration["PublicUrl"], UriKind.Absolute, out var url) ? url : null;

    private Uri? Listening
    {
        get
        {
            foreach (var text in server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [])
            {
                if (text.Contains("://unix:", StringComparison.Ordinal)) continue;
                var readable = text.Replace("://+", "://localhost", StringComparison.Ordinal).Replace("://*", "://localhost", StringComparison.Ordinal).Replace("://[::]", "://localhost", StringComparison.Ordinal).Replace("://0.0.0.0", "://localhost", StringComparison.Ordinal);
                if (Uri.TryCreate(readable, UriKind.Absolute, out var url)) return url;
            }

            return null;
        }
    }
}
