using Coordinator.Adapters.LocalSandbox;

namespace Coordinator.SandboxHost.Starting;

/// <summary>Tells of settings that do nothing because nobody has them. What else a host has under <c>Sandbox</c> may stand in the same file.</summary>
internal static partial class UnknownSettingsLog
{
    private static readonly string[] Own = [$"{SandboxHostOptions.Section}:", $"{LocalSandboxOptions.Section}:"];

    public static IReadOnlyList<UnknownSetting> Find(IServiceCollection services, IConfiguration configuration) =>
        [.. UnknownSettings.Find(configuration, SettingForms.Bound(services)).Where(setting => Array.Exists(Own, section => setting.Key.StartsWith(section, StringComparison.OrdinalIgnoreCase)))];

    public static void Write(ILogger logger, IEnumerable<UnknownSetting> unknown)
    {
        foreach (var (key, near) in unknown) LogUnknown(logger, key, near is null ? "." : $"; did you mean {near}?");
    }

    [LoggerMessage(5405, LogLevel.Warning, "{Key} is no setting{Meant}")]
    private static partial void LogUnknown(ILogger logger, string key, string meant);
}
