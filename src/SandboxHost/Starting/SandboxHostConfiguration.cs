using System.Security.Cryptography;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.Logging.Console;

namespace Coordinator.SandboxHost.Starting;

/// <summary>
/// Where settings come from, the later over the earlier: what is built in, <c>appsettings.json</c> in the working directory,
/// environment variables (plain, and with <c>COORDINATOR_</c> before the name), the command line.
/// </summary>
internal static class SandboxHostConfiguration
{
    public static void Apply(ConfigurationManager configuration, string[] args)
    {
        configuration.AddJsonFile(Path.Combine(Directory.GetCurrentDirectory(), "appsettings.json"), optional: true, reloadOnChange: false);
        configuration.AddEnvironmentVariables();
        configuration.AddEnvironmentVariables("COORDINATOR_");
        configuration.AddCommandLine(args);
        var key = $"{SandboxHostOptions.Section}:{nameof(SandboxHostOptions.DataDirectory)}";
        var data = Path.GetFullPath(configuration[key] is { Length: > 0 } named ? named : new SandboxHostOptions().DataDirectory);
        configuration.Sources.Insert(0, new MemoryConfigurationSource
        {
            InitialData = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
            {
                [key] = data,
                ["Sandbox:Local:DataDirectory"] = Path.Combine(data, "sandboxes"),
                ["Sandbox:Local:Node"] = NodeOf(data),
                ["Logging:LogLevel:Default"] = "Information",
                ["Logging:LogLevel:Microsoft"] = "Warning",
                ["Logging:LogLevel:Microsoft.AspNetCore.Server.Kestrel"] = "Error",
                ["Logging:LogLevel:System.Net.Http"] = "Warning",
            },
        });
    }

    /// <summary>This machine's name in handles, made up once and kept with the data: new data is another node.</summary>
    private static string NodeOf(string data)
    {
        var file = Path.Combine(data, "node");
        if (File.Exists(file) && File.ReadAllText(file).Trim() is { Length: > 0 } known) return known;
        Directory.CreateDirectory(data);
        var made = $"{Environment.MachineName}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";
        File.WriteAllText(file, made);
        return made;
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
}
