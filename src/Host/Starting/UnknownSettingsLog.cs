using Coordinator.Adapters.InProcess.Cluster;
using Coordinator.Adapters.LocalSandbox;
using Coordinator.Adapters.Modal;
using Coordinator.Demo;
using Coordinator.Host.Composition;

namespace Coordinator.Host.Starting;

/// <summary>Tells of settings that do nothing because nobody has them. It is a warning and no more: they may be meant for another release.</summary>
internal static partial class UnknownSettingsLog
{
    /// <summary>The options of what this host may have been composed without; set for another day they are settings all the same.</summary>
    private static readonly (string Section, Type Type)[] NotAlwaysBound =
    [
        (ClusterOptions.Section, typeof(ClusterOptions)),
        (LocalSandboxOptions.Section, typeof(LocalSandboxOptions)),
        (ModalSandboxOptions.Section, typeof(ModalSandboxOptions)),
        (DemoOptions.Section, typeof(DemoOptions)),
    ];

    public static IReadOnlyList<UnknownSetting> Find(IServiceCollection services, IConfiguration configuration) =>
        UnknownSettings.Find(configuration, SettingForms.Bound(services).Union(NotAlwaysBound), SandboxProviders.Key);

    public static void Write(ILogger logger, IEnumerable<UnknownSetting> unknown)
    {
        foreach (var (key, near) in unknown) LogUnknown(logger, key, near is null ? "." : $"; did you mean {near}?");
    }

    [LoggerMessage(EventId = 11, Level = LogLevel.Warning, Message = "{Key} is no setting{Meant}")]
    private static partial void LogUnknown(ILogger logger, string key, string meant);
}
