namespace Coordinator.Ports;

/// <summary>The planes the ports are grouped in.</summary>
public enum Plane
{
    /// <summary>Who people and programs are, and what is kept secret for them.</summary>
    Identity,
    /// <summary>Sessions: their journal, their actors, their hosts.</summary>
    Session,
    /// <summary>Boxes, what runs in them, and the repositories they work on.</summary>
    Compute,
    /// <summary>Models and those who serve them.</summary>
    Model,
    /// <summary>What is told and kept when a session's work is done.</summary>
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

    /// <summary>The plane it belongs to.</summary>
    public Plane Plane { get; } = plane;
}
