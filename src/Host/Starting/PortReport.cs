using System.Reflection;
using Coordinator.Ports;

namespace Coordinator.Host.Starting;

/// <summary>Which adapter serves each port in this host.</summary>
internal sealed class PortReport(IServiceProvider services)
{
    /// <summary>One line per plane: <c>ISessionJournal = PostgresSessionJournal</c> and so on.</summary>
    public IEnumerable<(string Plane, string Line)> Lines => typeof(PortAttribute).Assembly.GetExportedTypes()
        .Select(type => (Port: type, Mark: type.GetCustomAttribute<PortAttribute>()))
        .Where(port => port.Mark is not null)
        .GroupBy(port => port.Mark!.Plane, port => Describe(port.Port, port.Mark!))
        .OrderBy(plane => plane.Key)
        .Select(plane => (plane.Key.ToString(), string.Join(", ", plane)));

    private string Describe(Type port, PortAttribute mark) =>
        mark.InBox ? $"{port.Name} = in each box, by its session's agent" : $"{port.Name} = {services.GetService(port)?.GetType().Name ?? "nothing"}";
}
