using System.Globalization;
using Coordinator.Demo;
using Microsoft.Extensions.Configuration.Memory;

namespace Coordinator.Host.Composition;

/// <summary>
/// Lets boxes reach the demo's sample repository, which this host itself serves, under a name that no name server knows:
/// <c>demo.coordinator.internal</c> at the host's own port. Only while the demo is on, and where the port is known beforehand.
/// </summary>
internal static class DemoAddress
{
    public const string Host = "demo.coordinator.internal";
    private const string Exceptions = "Sandbox:Egress:Exceptions";

    /// <summary>A port that the system is to choose (0) is not known yet: then boxes do not reach the repository.</summary>
    public static void Apply(ConfigurationManager configuration)
    {
        if (!configuration.GetValue<bool>($"{DemoOptions.Section}:{nameof(DemoOptions.Enabled)}")) return;
        if (Listening.UrlsOf(configuration).Select(url => new Uri(ListenAddress.Readable(url)))
                .FirstOrDefault(url => url.Scheme == Uri.UriSchemeHttp) is not { Port: > 0 } served) return;
        var index = configuration.GetSection(Exceptions).GetChildren().Count();
        configuration.Sources.Add(new MemoryConfigurationSource
        {
            InitialData =
            [
                new(string.Create(CultureInfo.InvariantCulture, $"{Exceptions}:{index}"), string.Create(CultureInfo.InvariantCulture, $"{Host}:{served.Port}=127.0.0.1")),
                new($"{DemoOptions.Section}:{nameof(DemoOptions.RepositoryHost)}", string.Create(CultureInfo.InvariantCulture, $"{Host}:{served.Port}")),
            ],
        });
    }
}
