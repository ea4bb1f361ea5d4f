using Coordinator.Modules.Sessions.Actor;
using Coordinator.Ports.Session;
using Microsoft.Extensions.DependencyInjection;

namespace Coordinator.Modules.Sessions;

/// <summary>Registers the session core.</summary>
public static class Registration
{
    public static IServiceCollection AddSessionsModule(this IServiceCollection services, SessionLimits? limits = null)
    {
        services.AddSingleton(limits ?? SessionLimits.Default);
        return services.AddSingleton<ISessionMachineFactory, SessionMachineFactory>();
    }
}
