using Coordinator.Adapters.DirectModels.Catalog;
using Coordinator.Adapters.DirectModels.Providers;
using Coordinator.Adapters.DirectModels.Upstream;
using Coordinator.Ports.Models;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.DirectModels;

/// <summary>Registers model calls that go straight to the providers.</summary>
public static class Registration
{
    /// <summary>
    /// Model calls straight to the providers with the organizations' own keys, and the bundled catalog. Section
    /// <c>Models</c>. Needs the tenant directory and the vault.
    /// </summary>
    public static IServiceCollection AddDirectModels(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<DirectModelOptions>().Bind(configuration.GetSection(DirectModelOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<DirectModelOptions>, DirectModelOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ProviderRegistry>();
        services.AddSingleton<TenantProviders>();
        services.AddSingleton<UpstreamConnections>();
        services.AddSingleton<IModelGateway, DirectModelGateway>();
        services.AddSingleton<IModelCatalog, BundledModelCatalog>();
        return services;
    }

    private sealed class DirectModelOptionsValidator : IValidateOptions<DirectModelOptions>
    {
        public ValidateOptionsResult Validate(string? name, DirectModelOptions options)
        {
            var problems = options.Problems().ToArray();
            return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
        }
    }
}
