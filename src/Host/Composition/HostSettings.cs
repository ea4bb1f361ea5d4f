using Coordinator.Demo;

namespace Coordinator.Host.Composition;

/// <summary>The settings that no options class holds, each of which is looked at before anything is made of it.</summary>
internal static class HostSettings
{
    private const string Urls = "Urls";
    private const string PublicUrl = "PublicUrl";
    private const string DemoEnabled = $"{DemoOptions.Section}:{nameof(DemoOptions.Enabled)}";

    /// <summary>Finds those that cannot be read.</summary>
    public static void Check(ConfigurationManager configuration, WrongSettings wrong)
    {
        if (configuration[Urls] is { Length: > 0 } urls && WhyNotUrls(urls) is { } why) wrong.Replace(configuration, Urls, null, why);
        if (configuration[PublicUrl] is { Length: > 0 } known && !ListenAddress.IsWeb(known)) wrong.Replace(configuration, PublicUrl, null, $"PublicUrl is '{known}'; it must be the address that people reach this host by, such as https://coordinator.example.com.");
        if (configuration[DemoEnabled] is { Length: > 0 } demo && !bool.TryParse(demo, out _)) wrong.Replace(configuration, DemoEnabled, "false", $"{DemoEnabled} is '{demo}'; it must be true or false.");
        LogLevelSettings.Check(configuration, wrong);
    }

    /// <summary>Finds folders that cannot be made or written.</summary>
    public static void CheckFolders(ConfigurationManager configuration, WrongSettings wrong) => SettingFolders.Check(
        configuration,
        wrong,
        HostConfiguration.DataDirectoryKey,
        [HostConfiguration.ArtifactDirectoryKey, .. SandboxProviders.Chosen(configuration) == SandboxProviders.Local ? [HostConfiguration.BoxDirectoryKey] : Array.Empty<string>()]);

    private static string? WhyNotUrls(string setting)
    {
        var urls = ListenAddress.Split(setting);
        return urls.Length == 0 || Array.Exists(urls, url => !ListenAddress.IsOne(url))
            ? $"Urls is '{setting}'; it must hold addresses to listen at, such as http://0.0.0.0:8787, with ; between several."
            : null;
    }
}
