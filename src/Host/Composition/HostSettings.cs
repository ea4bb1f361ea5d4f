using Coordinator.Demo;
using Coordinator.Host.Starting;

namespace Coordinator.Host.Composition;

/// <summary>The settings that no options class holds, each of which is looked at before anything is made of it.</summary>
internal static class HostSettings
{
    private const string Urls = "Urls";
    private const string PublicUrl = "PublicUrl";
    private const string DemoEnabled = $"{DemoOptions.Section}:{nameof(DemoOptions.Enabled)}";
    private const string Logging = "Logging";
    private const string LogLevels = "LogLevel";

    /// <summary>Finds those that cannot be read.</summary>
    public static void Check(ConfigurationManager configuration, WrongSettings wrong)
    {
        if (configuration[Urls] is { Length: > 0 } urls && WhyNotUrls(urls) is { } why) wrong.Replace(configuration, Urls, null, why);
        if (configuration[PublicUrl] is { Length: > 0 } known && !IsWebAddress(known)) wrong.Replace(configuration, PublicUrl, null, $"PublicUrl is '{known}'; it must be the address that people reach this host by, such as https://coordinator.example.com.");
        if (configuration[DemoEnabled] is { Length: > 0 } demo && !bool.TryParse(demo, out _)) wrong.Replace(configuration, DemoEnabled, "false", $"{DemoEnabled} is '{demo}'; it must be true or false.");
        foreach (var level in LevelsIn(configuration.GetSection(Logging)).Where(level => !string.IsNullOrEmpty(level.Value) && !Enum.TryParse<LogLevel>(level.Value, ignoreCase: true, out _)).ToList())
            wrong.Replace(configuration, level.Path, nameof(LogLevel.Information), $"{level.Path} is '{level.Value}'; it must be one of {string.Join(", ", Enum.GetNames<LogLevel>())}.");
    }

    /// <summary>Finds folders that cannot be made or written. One on a full disk is right, and waited for by who writes.</summary>
    public static void CheckFolders(ConfigurationManager configuration, WrongSettings wrong)
    {
        var data = configuration[HostConfiguration.DataDirectoryKey]!;
        var isWritable = CheckFolder(HostConfiguration.DataDirectoryKey, data, wrong);
        string[] others = [HostConfiguration.ArtifactDirectoryKey, .. SandboxProviders.Chosen(configuration) == SandboxProviders.Local ? [HostConfiguration.BoxDirectoryKey] : Array.Empty<string>()];
        foreach (var key in others)
        {
            if (configuration[key] is { Length: > 0 } folder && (isWritable || !IsBelow(folder, data))) CheckFolder(key, folder, wrong);
        }
    }

    private static bool IsBelow(string folder, string other) => Path.GetFullPath(folder).StartsWith(Path.GetFullPath(other).TrimEnd('/') + '/', StringComparison.Ordinal);

    private static bool CheckFolder(string key, string folder, WrongSettings wrong)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var probe = Path.Combine(folder, $".writable.{Environment.ProcessId}");
            using var written = new FileStream(probe, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 1, FileOptions.DeleteOnClose);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            if (FullDisk.Is(failure)) return true;
            wrong.Add($"{key} is '{folder}'; it must be a folder that can be made and written: {failure.Message}");
            return false;
        }
    }

    private static string? WhyNotUrls(string setting)
    {
        var urls = Listening.Split(setting);
        return urls.Length == 0 || Array.Exists(urls, url => !IsListenable(url))
            ? $"Urls is '{setting}'; it must hold addresses to listen at, such as http://0.0.0.0:8787, with ; between several."
            : null;
    }

    private static bool IsListenable(string url)
    {
        try
        {
            var address = BindingAddress.Parse(url);
            return address.IsUnixPipe || (address.PathBase.Length == 0 && IsWebAddress(Listening.Readable(url)));
        }
        catch (Exception failure) when (failure is FormatException or InvalidOperationException)
        {
            return false;
        }
    }

    private static bool IsWebAddress(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps);

    private static IEnumerable<IConfigurationSection> LevelsIn(IConfigurationSection logging) =>
        logging.GetChildren().Select(provider => provider.GetSection(LogLevels)).Prepend(logging.GetSection(LogLevels)).SelectMany(levels => levels.GetChildren());
}
