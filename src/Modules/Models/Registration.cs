using Coordinator.Modules.Kernel;
using Coordinator.Modules.Kernel.Contracts;
using Coordinator.Modules.Models.Gateway;
using Coordinator.Modules.Models.Tokens;
using Microsoft.Extensions.DependencyInjection;

namespace Coordinator.Modules.Models;

/// <summary>Registers models as agents and people see them.</summary>
public static class Registration
{
    /// <summary>
    /// The model gateway route, the lists of providers and models, and <see cref="ValidateModel"/> for other modules.
    /// Handlers and endpoints are found by the kernel's scan of this assembly.
    /// </summary>
    public static IServiceCollection AddModelsModule(this IServiceCollection services) => services
        .AddJsonTypes(ModelsJson.Default)
        .AddSingleton<GatewayTokens>()
        .AddSingleton<UsageLedger>()
        .AddSingleton<IModelAddressBook, ModelAddressBook>();
}
