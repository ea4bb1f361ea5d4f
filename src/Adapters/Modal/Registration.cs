using Coordinator.Adapters.Modal.DataPlane;
using Coordinator.Adapters.Modal.Pool;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.Modal;

/// <summary>Registers boxes behind Modal-compatible data planes.</summary>
public static class Registration
{
    /// <summary>Adds <see cref="ISandboxProvider"/> <c>modal</c> with its options (<see cref="ModalSandboxOptions"/>) and its <see cref="IHostDependency"/>.</summary>
    public static IServiceCollection AddModalSandbox(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<ModalSandboxOptions>().Bind(configuration.GetSection(ModalSandboxOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ModalSandboxOptions>, ModalSandboxOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<DataPlaneConnections>();
        services.AddSingleton<SignedCaller>();
        services.AddSingleton<DataPlaneClient>();
        services.AddSingleton<NodePool>();
        services.AddSingleton<Placement>();
        services.AddSingleton<ISandboxProvider, ModalSandboxProvider>();
        services.AddSingleton<IHostDependency, ModalSandboxDependency>();
        return services;
    }
}
