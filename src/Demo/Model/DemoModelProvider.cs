using System.Net;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Models;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace Coordinator.Demo.Model;

/// <summary>Tells the model gateway of the provider <c>demo</c>, which is this host itself.</summary>
internal sealed class DemoModelProvider(IServer server, DemoKey key, IOptions<DemoOptions> options) : IModelProviderSource
{
    public const string Name = "demo";

    private const string Path = "/demo/model/v1";

    public BuiltInModelProvider? Find(string name) =>
        name == Name && (options.Value.HostUrl ?? OwnAddress()) is { } host ? Provider(host) : null;

    public IReadOnlyList<BuiltInModelProvider> List() => Find(Name) is { } provider ? [provider] : [];

    private BuiltInModelProvider Provider(Uri host) => new(Name, "Scripted demo (no AI)", new Uri(host, Path), key.Value, ModelWire.OpenAiChat, IsDemo: true);

    /// <summary>The first plain HTTP address this host listens on, reached over loopback; null before it listens.</summary>
    private Uri? OwnAddress()
    {
        foreach (var text in server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [])
        {
            if (!Uri.TryCreate(text.Replace("//+:", "//0.0.0.0:", StringComparison.Ordinal).Replace("//*:", "//0.0.0.0:", StringComparison.Ordinal), UriKind.Absolute, out var url)) continue;
            if (url.Scheme != Uri.UriSchemeHttp || url.Host == "unix" || url.Port <= 0) continue;
            if (!IPAddress.TryParse(url.Host.Trim('[', ']'), out var address)) return url;
            if (address.Equals(IPAddress.Any)) address = IPAddress.Loopback;
            if (address.Equals(IPAddress.IPv6Any)) address = IPAddress.IPv6Loopback;
            return new UriBuilder(Uri.UriSchemeHttp, address.ToString(), url.Port).Uri;
        }

        return null;
    }
}
