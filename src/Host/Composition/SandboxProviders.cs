using Coordinator.Adapters.LocalSandbox;
using Coordinator.Adapters.Modal;
using Coordinator.Host.Starting;

namespace Coordinator.Host.Composition;

/// <summary>Chooses what makes boxes by one setting, <c>Sandbox:Provider</c>.</summary>
internal static class SandboxProviders
{
    public const string Key = "Sandbox:Provider";
    public const string Local = "Local";
    public const string Modal = "Modal";

    private static readonly string[] All = [Local, Modal];

    /// <summary>The provider that is set; without a setting boxes run on this machine.</summary>
    /// <exception cref="HostMisconfiguredException">It names none that there is, or several.</exception>
    public static string Chosen(IConfiguration configuration)
    {
        var text = configuration[Key] is { Length: > 0 } set ? set : Local;
        var named = text.Split([',', ';', ' '], StringSplitOptions.RemoveEmptyEntries);
        if (named.Length > 1) throw new HostMisconfiguredException($"{Key}: '{text}' names {named.Length} adapters for the one port ISandboxProvider; choose one of {string.Join(", ", All)}.");
        return Array.Find(All, one => one.Equals(text, StringComparison.OrdinalIgnoreCase))
            ?? throw new HostMisconfiguredException($"{Key}: there is no '{text}'; it is one of {string.Join(", ", All)}.");
    }

    public static IServiceCollection AddSandboxProvider(this IServiceCollection services, IConfiguration configuration) =>
        Chosen(configuration) == Modal ? services.AddModalSandbox(configuration) : services.AddLocalSandbox(configuration);
}
