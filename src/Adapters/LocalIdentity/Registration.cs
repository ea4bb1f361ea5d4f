using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.LocalIdentity;

/// <summary>Puts this installation's own identity into a host.</summary>
public static class Registration
{
    /// <summary>
    /// Registers <see cref="IAuthenticator"/> over the registered <see cref="ITenantDirectory"/>, and
    /// <see cref="ITenantVault"/>, <see cref="ITokenSigner"/> and <see cref="IBoxTokenScheme"/> under the master key of
    /// section <c>Vault</c> (<see cref="VaultOptions"/>), which is read when the host starts (<see cref="IHostDependency"/>) and, where an
    /// <see cref="ISealingKeys"/> is registered, held against what that says.
    /// </summary>
    public static IServiceCollection AddLocalIdentity(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<VaultOptions>().Bind(configuration.GetSection(VaultOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<VaultOptions>, VaultOptionsValidator>();
        services.AddSingleton<IValidateOptions<KeyFileAtStart.Checked>, KeyFileAtStart>().AddOptions<KeyFileAtStart.Checked>().ValidateOnStart();
        services.AddSingleton<MasterKeys>();
        services.AddSingleton<IHostDependency>(provider => new MasterKeyDependency(
            provider.GetRequiredService<MasterKeys>(), provider.GetRequiredService<IOptions<VaultOptions>>(), provider.GetService<ISealingKeys>(), provider.GetRequiredService<ILogger<MasterKeyDependency>>()));
        services.AddSingleton<ITenantVault, HkdfTenantVault>();
        services.AddSingleton<HkdfTokenSigner>();
        services.AddSingleton<ITokenSigner>(provider => provider.GetRequiredService<HkdfTokenSigner>());
        services.AddSingleton<IBoxTokenScheme, HmacBoxTokenScheme>();
        services.AddSingleton<IAuthenticator, LocalAuthenticator>();
        return services;
    }
}
