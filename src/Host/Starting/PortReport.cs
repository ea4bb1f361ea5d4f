using System.Reflection;
using Coordinator.Ports;

namespace Coordinator.Host.Starting;

/// <summary>Which adapter serves each port in this host.</summary>
internal sealed class PortReport(IServiceProvider services)
{
    /// <summary>One line per plane: <c>ISessionJournal = PostgresSessionJournal</c> and so on.</summary>
    public IEnumerable<(string Plane, string Line)> Lines => typeof(PortAttribute).Assembly.GetExportedTypes()
        .Select(type => (Port: type, type.GetCustomAttribute<PortAttribute>()?.Plane))
        .Where(port => port.Plane is not null)
        .Select(port => (Plane: port.Plane!.Value, Text: Describe(port.Port)))
        .Where(port => port.Text is not null)
        .GroupBy(port => port.Plane, port => port.Text!)
        .OrderBy(plane => plane.Key)
        .Select(plane => (plane.Key.ToString(), string.Join(", ", plane)));

    private string? Describe(Type port) => services.GetService(port) is { } adapter ? $"{port.Name} = {adapter.GetType().Name}" : null;
}
