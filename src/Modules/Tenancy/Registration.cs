using Coordinator.Modules.Kernel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.Tenancy;

/// <summary>Puts the tenancy module into a host.</summary>
public static class Registration
{
    /// <summary>
    /// Options (section <c>Tenancy</c>), JSON types and <see cref="OwnerSignIn"/>; handlers, validators and endpoints are
    /// found by the kernel in this assembly.
    /// </summary>
    public static IServiceCollection AddTenancyModule(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<TenancyOptions>().Bind(configuration.GetSection(TenancyOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<TenancyOptions>, TenancyOptionsValidator>();
        services.AddSingleton<OwnerSignIn>();
        services.AddJsonTypes(TenancyJson.Default);
        return services;
    }
}
