using Coordinator.Adapters.Archive;
using Coordinator.Adapters.DirectModels;
using Coordinator.Adapters.FileSystem;
using Coordinator.Adapters.Git;
using Coordinator.Adapters.GitHubApp;
using Coordinator.Adapters.HttpNotifier;
using Coordinator.Adapters.InProcess;
using Coordinator.Adapters.LocalIdentity;
using Coordinator.Adapters.Postgres;
using Coordinator.Demo;
using Coordinator.Host.Health;
using Coordinator.Host.Starting;
using Coordinator.Modules.Kernel;
using Coordinator.Modules.Models;
using Coordinator.Modules.Runs;
using Coordinator.Modules.Sandboxes;
using Coordinator.Modules.SessionAccess;
using Coordinator.Modules.Sessions;
using Coordinator.Modules.Tenancy;
using Coordinator.Ports;

namespace Coordinator.Host.Composition;

/// <summary>Which module and which adapter this host is made of.</summary>
internal static class ServiceComposition
{
    public static IServiceCollection AddCoordinator(this IServiceCollection services, IConfiguration configuration) => services
        .AddStarting()
        .AddAdapters(configuration)
        .AddModules(configuration)
        .DemandOneAdapterPerPort();

    private static IServiceCollection AddStarting(this IServiceCollection services)
    {
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<HostReadiness>();
        services.AddSingleton<IHostReadiness>(provider => provider.GetRequiredService<HostReadiness>());
        services.AddSingleton<DependencyHealth>();
        services.AddSingleton<HostAddress>();
        services.AddSingleton<PortReport>();
        services.AddSingleton<HostStartup>();
        services.AddHostedService(provider => provider.GetRequiredService<HostStartup>());
        services.AddHostedService<HostDrain>();
        services.AddHostedService<PidFile>();
        return services.AddJsonTypes(HealthJson.Default);
    }

    private static IServiceCollection AddAdapters(this IServiceCollection services, IConfiguration configuration) => services
        .AddPostgres(configuration)
        .AddPostgresTenantDirectory()
        .AddPostgresRunHistory()
        .AddPostgresEventFeed()
        .AddLocalIdentity(configuration)
        .AddSessionHost(configuration)
        .AddSandboxProvider(configuration)
        .AddGitSourceControl(configuration)
        .AddGitHubApp(configuration)
        .AddFileArtifacts(configuration)
        .AddArchivedEvents()
        .AddDirectModels(configuration)
        .AddHttpNotifier(configuration)
        .AddDemo(configuration);

    /// <summary>One of several hosts where <c>Cluster:Address</c> says where its peers reach it; else alone.</summary>
    private static IServiceCollection AddSessionHost(this IServiceCollection services, IConfiguration configuration) =>
        string.IsNullOrEmpty(configuration["Cluster:Address"])
            ? services.AddInProcessSessionHost(configuration).AddStrangerWatch()
            : services.AddClusterSessionHost(configuration);

    private static IServiceCollection AddModules(this IServiceCollection services, IConfiguration configuration) => services
        .AddSessionsModule()
        .AddTenancyModule(configuration)
        .AddSessionAccessModule(configuration)
        .AddSandboxesModule(configuration)
        .AddModelsModule(configuration)
        .AddRunsModule()
        .AddKernel(
            typeof(Modules.Tenancy.Registration).Assembly,
            typeof(Modules.SessionAccess.Registration).Assembly,
            typeof(Modules.Sandboxes.Registration).Assembly,
            typeof(Modules.Models.Registration).Assembly,
            typeof(Modules.Runs.Registration).Assembly);
}
