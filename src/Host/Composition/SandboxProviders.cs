using Coordinator.Adapters.LocalSandbox;
using Coordinator.Adapters.Modal;
using Coordinator.Ports.Compute;
using Microsoft.Extensions.Options;

namespace Coordinator.Host.Composition;

/// <summary>Chooses what makes boxes by one setting, <c>Sandbox:Provider</c>; without it boxes run on this machine.</summary>
internal static class SandboxProviders
{
    public const string Key = "Sandbox:Provider";
    public const string Local = "Local";
    public const string Modal = "Modal";

    private static readonly string[] All = [Local, Modal];

    /// <summary>The provider that is set; null when the setting names none that there is, or several.</summary>
    public static string? Chosen(IConfiguration configuration) => Array.Find(All, one => one.Equals(Setting(configuration), StringComparison.OrdinalIgnoreCase));

    /// <summary>A setting that chooses nothing is refused with all others that are wrong, when options are validated.</summary>
    public static IServiceCollection AddSandboxProvider(this IServiceCollection services, IConfiguration configuration) => Chosen(configuration) switch
    {
        Modal => services.AddModalSandbox(configuration),
        Local => services.AddLocalSandbox(configuration),
        _ => services.RefuseProvider(WhyNone(Setting(configuration))),
    };

    /// <summary>A list says as much as a text with commas in it: a configuration file may hold either, and neither may be passed over.</summary>
    private static string Setting(IConfiguration configuration)
    {
        var set = configuration.GetSection(Key).GetChildren().Select(one => one.Value).Prepend(configuration[Key]).Where(one => !string.IsNullOrEmpty(one)).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        return set.Count == 0 ? Local : string.Join(',', set);
    }

    private static string WhyNone(string setting) => setting.Split([',', ';', ' '], StringSplitOptions.RemoveEmptyEntries) is { Length: > 1 } several
        ? $"{Key}: '{setting}' names {several.Length} adapters for the one port ISandboxProvider; choose one of {string.Join(", ", All)}."
        : $"{Key}: there is no '{setting}'; it is one of {string.Join(", ", All)}.";

    private static IServiceCollection RefuseProvider(this IServiceCollection services, string reason)
    {
        services.AddOptions<NoProvider>().Validate(_ => false, reason).ValidateOnStart();
        return services.AddSingleton<ISandboxProvider>(_ => throw new OptionsValidationException(Key, typeof(NoProvider), [reason]));
    }

    private sealed class NoProvider;
}
