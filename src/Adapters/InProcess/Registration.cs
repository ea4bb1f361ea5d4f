using Coordinator.Ports.Session;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Coordinator.Adapters.InProcess;

/// <summary>Registers <see cref="InProcessSessionHost"/>.</summary>
public static class Registration
{
    public static IServiceCollection AddInProcessSessionHost(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<SessionHostOptions>().Bind(configuration.GetSection(SessionHostOptions.Section)).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<InProcessSessionHost>();
        services.AddSingleton<ISessionHost>(s => s.GetRequiredService<InProcessSessionHost>());
        return services.AddHostedService<AlarmSweep>();
    }
}
