using Coordinator.Modules.Kernel;
using Coordinator.Ports.Session;
using Microsoft.Extensions.DependencyInjection;

namespace Coordinator.Modules.Runs;

/// <summary>Puts the runs module into a host.</summary>
public static class Registration
{
    /// <summary>
    /// The effect runner that writes finished runs, and JSON types; handlers and endpoints are found by the kernel in
    /// this assembly.
    /// </summary>
    public static IServiceCollection AddRunsModule(this IServiceCollection services)
    {
        services.AddSingleton<ISessionEffectRunner, FlushRunEffect>();
        services.AddJsonTypes(RunsJson.Default);
        return services;
    }
}
