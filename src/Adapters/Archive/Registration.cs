using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Coordinator.Adapters.Archive;

/// <summary>Registers the journal that tells archived events as well.</summary>
public static class Registration
{
    /// <summary>
    /// Stands in front of the journal that is registered already, so that whoever reads a session's events reads those too that were
    /// archived as artifacts. Ends with the journal behind it.
    /// </summary>
    public static IServiceCollection AddArchivedEvents(this IServiceCollection services)
    {
        var registered = services.Last(service => service.ServiceType == typeof(ISessionJournal) && !service.IsKeyedService);
        services.Remove(registered);
        services.TryAddSingleton(TimeProvider.System);
        return services.AddSingleton<ISessionJournal>(provider => new ArchivedSessionJournal(
            Behind(provider, registered), provider.GetRequiredService<IArtifactStore>(), provider.GetRequiredService<TimeProvider>()));
    }

    private static ISessionJournal Behind(IServiceProvider provider, ServiceDescriptor registered) => (ISessionJournal)(
        registered.ImplementationInstance
        ?? registered.ImplementationFactory?.Invoke(provider)
        ?? ActivatorUtilities.CreateInstance(provider, registered.ImplementationType!));
}
