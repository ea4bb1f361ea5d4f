using Coordinator.Modules.Kernel;
using Coordinator.Modules.Sandboxes.Egress;
using Coordinator.Modules.Sandboxes.Provisioning;
using Coordinator.Modules.Sandboxes.Repositories;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.Sandboxes;

/// <summary>Registers the making, the ending and the way out of boxes.</summary>
public static class Registration
{
    /// <summary>
    /// The work sessions want of boxes, the sweep of boxes nobody wants, and the boxes' way out. Endpoints are found by
    /// the kernel's scan of this assembly. Options: <see cref="SandboxesOptions"/>, <see cref="EgressOptions"/>.
    /// </summary>
    public static IServiceCollection AddSandboxesModule(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<SandboxesOptions>().Bind(configuration.GetSection(SandboxesOptions.Section)).ValidateOnStart();
        services.AddOptions<EgressOptions>().Bind(configuration.GetSection(EgressOptions.Section)).ValidateOnStart();
        return services
            .AddJsonTypes(RepositoriesJson.Default)
            .AddSingleton<IValidateOptions<SandboxesOptions>, SandboxesOptionsValidator>()
            .AddSingleton<IValidateOptions<SandboxesOptions>>(provider => new RequiredCapabilitiesValidator(provider.GetRequiredService<ISandboxProvider>))
            .AddSingleton<IValidateOptions<EgressOptions>, EgressOptionsValidator>()
            .AddMetrics()
            .AddSingleton<EgressRules>()
            .AddSingleton<EgressTunnels>()
            .AddSingleton<EgressDialer>()
            .AddSingleton<IHostResolver, SystemHostResolver>()
            .AddSingleton<ISessionEffectRunner, SandboxEffects>()
            .AddHostedService<OrphanSweep>();
    }
}
