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
    /// <summary>The folder of everything it keeps.</summary>
    private const string DataDirectoryKey = $"{SandboxHostOptions.Section}:{nameof(SandboxHostOptions.DataDirectory)}";

    private const string BoxDirectoryKey = "Sandbox:Local:DataDirectory";

    /// <summary>Settings that cannot be read, and folders that cannot be written, are added to <paramref name="wrong"/>.</summary>
    public static void Apply(ConfigurationManager configuration, string[] args, WrongSettings wrong)
    {
        configuration.AddJsonFile(Path.Combine(Directory.GetCurrentDirectory(), "appsettings.json"), optional: true, reloadOnChange: false);
        configuration.AddEnvironmentVariables();
        configuration.AddEnvironmentVariables("COORDINATOR_");
        configuration.AddCommandLine(args);
        LogLevelSettings.Check(configuration, wrong);
        var data = Path.GetFullPath(configuration[DataDirectoryKey] is { Length: > 0 } named ? named : new SandboxHostOptions().DataDirectory);
        configuration.Sources.Insert(0, new MemoryConfigurationSource
        {
            InitialData = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
            {
                [DataDirectoryKey] = data,
                [BoxDirectoryKey] = Path.Combine(data, "sandboxes"),
                ["Logging:LogLevel:Default"] = "Information",
                ["Logging:LogLevel:Microsoft"] = "Warning",
                ["Logging:LogLevel:Microsoft.AspNetCore.Server.Kestrel"] = "Error",
                ["Logging:LogLevel:System.Net.Http"] = "Warning",
            },
        });
        var before = wrong.Found.Count;
        SettingFolders.Check(configuration, wrong, DataDirectoryKey, BoxDirectoryKey);
        if (wrong.Found.Count == before) configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = [new("Sandbox:Local:Node", NodeOf(data))] });
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
