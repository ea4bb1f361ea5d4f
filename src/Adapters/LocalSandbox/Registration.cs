using Coordinator.Adapters.LocalSandbox.Launch;
using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.LocalSandbox;

/// <summary>Registers boxes on the host's own machine.</summary>
public static class Registration
{
    /// <summary>
    /// Adds <see cref="ISandboxProvider"/> <c>local</c> with its options (<see cref="LocalSandboxOptions"/>), its
    /// <see cref="IHostDependency"/> its watchdog, and what deletes the data of boxes. The host listens on <see cref="HostSocket.Prepare"/>.
    /// </summary>
    public static IServiceCollection AddLocalSandbox(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<LocalSandboxOptions>().Bind(configuration.GetSection(LocalSandboxOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<LocalSandboxOptions>, LocalSandboxOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<SystemCommand>();
        services.AddSingleton<BoxUsers>();
        services.AddSingleton(provider => new ProgramStaging(provider.GetRequiredService<IOptions<LocalSandboxOptions>>().Value, provider.GetRequiredService<SystemCommand>()));
        services.AddSingleton<LocalMachineSetup>();
        services.AddSingleton<UnreadBoxes>();
        services.AddSingleton<DataRemoval>();
        services.AddHostedService(provider => provider.GetRequiredService<DataRemoval>());
        services.AddSingleton<ISandboxProvider, LocalSandboxProvider>();
        services.AddSingleton<LocalSandboxDependency>();
        services.AddSingleton<IHostDependency>(provider => provider.GetRequiredService<LocalSandboxDependency>());
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<LocalSandboxDependency>());
        services.AddHostedService<BoxWatch>();
        return services;
    }
}
