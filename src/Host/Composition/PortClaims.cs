using System.Reflection;
using Coordinator.Ports;

namespace Coordinator.Host.Composition;

/// <summary>One adapter serves each port. Of two the container would silently take the later one.</summary>
internal static class PortClaims
{
    /// <exception cref="MisconfiguredException">Some ports are claimed twice; all of them are named, with who claims them.</exception>
    public static IServiceCollection DemandOneAdapterPerPort(this IServiceCollection services)
    {
        var claims = services
            .Where(service => service.ServiceType.GetCustomAttribute<PortAttribute>() is not null)
            .GroupBy(service => service.ServiceType)
            .Where(port => port.Count() > 1)
            .Select(port => $"{port.Key.Name} is claimed by {string.Join(" and ", port.Select(NameOf))}; configure one of them")
            .ToList();
        return claims.Count == 0 ? services : throw new MisconfiguredException(string.Join("; ", claims) + ".");
    }

    /// <summary>What is made by a factory is named by the assembly that brought the factory along.</summary>
    private static string NameOf(ServiceDescriptor service) =>
        (service.ImplementationType ?? service.ImplementationInstance?.GetType())?.Name
        ?? service.ImplementationFactory?.Method.DeclaringType?.Assembly.GetName().Name
        ?? "an unnamed adapter";
}
