using Coordinator.Modules.Kernel;
using Coordinator.Modules.Kernel.Contracts;
using Coordinator.Modules.Models.Gateway;
using Coordinator.Modules.Models.Tokens;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.Models;

/// <summary>Registers models as agents and people see them.</summary>
public static class Registration
{
    /// <summary>
    /// The model gateway route, the lists of providers and models, and <see cref="ValidateModel"/> for other modules.
    /// Handlers and endpoints are found by the kernel's scan of this assembly. Options: <see cref="ModelCallOptions"/>.
    /// </summary>
    public static IServiceCollection AddModelsModule(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<ModelCallOptions>().Bind(configuration.GetSection(ModelCallOptions.Section)).ValidateOnStart();
        return services
            .AddJsonTypes(ModelsJson.Default)
            .AddSingleton<IValidateOptions<ModelCallOptions>, ModelCallOptionsValidator>()
            .AddSingleton<GatewayTokens>()
            .AddSingleton<ModelCalls>()
            .AddSingleton<UsageLedger>()
            .AddSingleton<IModelAddressBook, ModelAddressBook>();
    }
}
