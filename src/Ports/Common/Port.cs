namespace Coordinator.Ports;

/// <summary>The planes the ports are grouped in.</summary>
public enum Plane
{
    Identity,
    Session,
    Compute,
    Model,
    Record,
}

/// <summary>
/// Marks an interface as a port: an outside thing behind the domain's words. The build demands of each a real adapter,
/// exactly one fake in src/Fakes, a contract in tests/Conformance and a fault catalog in tests/Faults.
/// </summary>
[AttributeUsage(AttributeTargets.Interface)]
public sealed class PortAttribute(Plane plane) : Attribute
{
    /// <summary>Served by the program inside each dev box, not by a host.</summary>
    public bool InBox { get; init; }

    public Plane Plane { get; } = plane;
}
