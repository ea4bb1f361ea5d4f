using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.Logging.Console;

namespace Coordinator.Host.Composition;

/// <summary>
/// Where settings come from, the later over the earlier: what is built in, <c>appsettings.json</c> beside the program and
/// in the working directory, environment variables (plain, and with <c>COORDINATOR_</c> before the name), the command line.
/// </summary>
internal static class HostConfiguration
{
    /// <summary>The folder of everything the host keeps; sections may place their part elsewhere.</summary>
    public const string DataDirectoryKey = "DataDirectory";

    /// <summary>The folder of what sessions keep as files.</summary>
    public const string ArtifactDirectoryKey = "Artifacts:Directory";

    /// <summary>The folder of the boxes that run on this machine.</summary>
    public const string BoxDirectoryKey = "Sandbox:Local:DataDirectory";

    /// <summary>Settings that cannot be read are added to <paramref name="wrong"/>.</summary>
    public static void Apply(ConfigurationManager configuration, string[] args, WrongSettings wrong)
    {
        configuration.AddJsonFile(Path.Combine(Directory.GetCurrentDirectory(), "appsettings.json"), optional: true, reloadOnChange: false);
        configuration.AddEnvironmentVariables();
        configuration.AddEnvironmentVariables("COORDINATOR_");
        configuration.AddCommandLine(args);
        HostSettings.Check(configuration, wrong);
        var data = Path.GetFullPath(configuration[DataDirectoryKey] is { Length: > 0 } named ? named : "data");
        configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = BuiltIn(data, ControlPlaneUrl(configuration)) });
        DemoAddress.Apply(configuration);
    }

    public static void Apply(ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
            console.UseUtcTimestamp = true;
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        });
    }

    /// <summary>Where boxes on other machines reach this host; without <c>PublicUrl</c> the first address it listens on, which is good for this machine alone.</summary>
    private static string ControlPlaneUrl(ConfigurationManager configuration) =>
        configuration["PublicUrl"] is { Length: > 0 } named ? named : ListenAddress.Readable(Listening.UrlsOf(configuration)[0]).Replace("://0.0.0.0", "://localhost", StringComparison.Ordinal).Replace("://[::]", "://localhost", StringComparison.Ordinal);

    private static Dictionary<string, string?> BuiltIn(string data, string controlPlaneUrl) => new(StringComparer.OrdinalIgnoreCase)
    {
        [DataDirectoryKey] = data,
        ["Database:Embedded:DataDirectory"] = Path.Combine(data, "postgres"),
        ["Vault:KeyFile"] = Path.Combine(data, "master.key"),
        [BoxDirectoryKey] = Path.Combine(data, "sandboxes"),
        ["Sandbox:Modal:ControlPlaneUrl"] = controlPlaneUrl,
        [ArtifactDirectoryKey] = Path.Combine(data, "artifacts"),
        ["Demo:Directory"] = Path.Combine(data, "demo"),
        ["Logging:LogLevel:Default"] = "Information",
        ["Logging:LogLevel:Microsoft"] = "Warning",
        ["Logging:LogLevel:Microsoft.AspNetCore.Server.Kestrel"] = "Error",
        ["Logging:LogLevel:Microsoft.EntityFrameworkCore"] = "Error",
        ["Logging:LogLevel:System.Net.Http"] = "Warning",
        ["Logging:LogLevel:Npgsql"] = "Error",
    };
}
