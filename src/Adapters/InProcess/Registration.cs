using Coordinator.Adapters.InProcess.Cluster;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.InProcess;

/// <summary>Registers <see cref="InProcessSessionHost"/>, or <see cref="ClusterSessionHost"/> where this host has peers.</summary>
public static class Registration
{
    public static IServiceCollection AddInProcessSessionHost(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<SessionHostOptions>().Bind(configuration.GetSection(SessionHostOptions.Section)).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<InProcessSessionHost>();
        services.AddSingleton<ISessionHost>(s => s.GetRequiredService<InProcessSessionHost>());
        services.AddSingleton<IWakesSessions>(s => s.GetRequiredService<InProcessSessionHost>());
        services.AddSingleton<IKeepsSessions>(s => s.GetRequiredService<InProcessSessionHost>());
        return services.AddHostedService<AlarmSweep>();
    }

    /// <summary>One host of several on one database; section <c>Cluster</c> says where its peers reach it.</summary>
    public static IServiceCollection AddClusterSessionHost(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<SessionHostOptions>().Bind(configuration.GetSection(SessionHostOptions.Section)).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<ClusterOptions>().Bind(configuration.GetSection(ClusterOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ClusterOptions>, ClusterOptionsValidator>());
        services.AddSingleton(s => new ClusterLog(s.GetRequiredService<ILogger<ClusterSessionHost>>()));
        services.AddSingleton<SessionHolds>();
        services.AddSingleton(s => new PeerSigner(s.GetRequiredService<ITokenSigner>(), s.GetRequiredService<TimeProvider>()));
        services.AddSingleton(s => new PeerVigil(s.GetRequiredService<IHostRegistry>(), s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ClusterLog>()));
        services.AddSingleton(s => new PeerClient(s.GetRequiredService<PeerSigner>(), s.GetRequiredService<PeerVigil>(), Options(s).PeerTimeout, s.GetRequiredService<TimeProvider>()));
        services.AddSingleton(s => new PeerBridges(s.GetRequiredService<PeerSigner>(), s.GetRequiredService<PeerVigil>(), Options(s), s.GetRequiredService<TimeProvider>()));
        services.AddSingleton(s => new Membership(s.GetRequiredService<IHostRegistry>(), registration => Actors(s, registration), () => PeerSigner.PrintOf(s.GetRequiredService<ITokenSigner>()), Options(s), s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ClusterLog>()));
        services.AddSingleton(s => new ClusterSessionHost(
            s.GetRequiredService<Membership>(),
            s.GetRequiredService<IHostRegistry>(),
            s.GetRequiredService<ISessionJournal>(),
            s.GetRequiredService<PeerClient>(),
            s.GetRequiredService<PeerBridges>(),
            s.GetRequiredService<SessionHolds>(),
            Options(s),
            s.GetRequiredService<TimeProvider>(),
            s.GetRequiredService<ClusterLog>(),
            new(s.GetRequiredService<ILogger<InProcessSessionHost>>())));
        services.AddSingleton<ISessionHost>(s => s.GetRequiredService<ClusterSessionHost>());
        services.AddSingleton<IWakesSessions>(s => s.GetRequiredService<ClusterSessionHost>());
        services.AddSingleton(s => new PeerEndpoints(s.GetRequiredService<ClusterSessionHost>(), s.GetRequiredService<PeerSigner>(), s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ClusterLog>()));
        services.AddSingleton<IHostDependency, ClusterDependency>();
        return services.AddHostedService<AlarmSweep>();
    }

    /// <summary>What a host serves to its peers, under <c>/cluster</c>; nothing where it has none. Its requests carry credentials of their own.</summary>
    public static RouteGroupBuilder MapCluster(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup(string.Empty).ExcludeFromDescription();
        if (routes.ServiceProvider.GetService<PeerEndpoints>() is not { } peers) return group;
        group.MapPost(PeerClient.CallsPath, (RequestDelegate)peers.CallAsync);
        group.MapPost(PeerClient.WaitsPath, (RequestDelegate)peers.WaitAsync);
        group.MapGet(PeerBridges.Path, (RequestDelegate)peers.BridgeAsync);
        return group;
    }

    private static ClusterOptions Options(IServiceProvider services) => services.GetRequiredService<IOptions<ClusterOptions>>().Value;

    private static InProcessSessionHost Actors(IServiceProvider services, IHostRegistration registration) => new(
        services.GetRequiredService<ISessionJournal>(),
        services.GetRequiredService<ISessionMachineFactory>(),
        services.GetServices<ISessionEffectRunner>(),
        services.GetRequiredService<IOptions<SessionHostOptions>>(),
        services.GetRequiredService<TimeProvider>(),
        services.GetRequiredService<ILogger<InProcessSessionHost>>(),
        registration.Location.Id,
        registration.Tell,
        services.GetRequiredService<SessionHolds>());

    private sealed class ClusterOptionsValidator : IValidateOptions<ClusterOptions>
    {
        public ValidateOptionsResult Validate(string? name, ClusterOptions options) =>
            options.Address is { IsAbsoluteUri: true, Scheme: "http" or "https" } ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail("Cluster:Address is not an address that other hosts reach, such as http://10.0.0.5:8787.");
    }
}
