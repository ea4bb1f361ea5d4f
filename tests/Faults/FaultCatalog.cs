using Coordinator.Tests.Faults.Real;

namespace Coordinator.Tests.Faults;

/// <summary>All faults of one port.</summary>
public interface IFaultCatalog
{
    /// <summary>The port's interface.</summary>
    Type Port { get; }

    IReadOnlyList<Fault> Faults { get; }

    /// <summary>The general faults that this port cannot show, and why.</summary>
    IReadOnlyDictionary<GeneralFault, string> CannotHappen { get; }

    /// <summary>How some of the faults are made on the real adapter.</summary>
    IReadOnlyList<RealPlay> OnReal { get; }

    /// <summary>Why none is; null when some are.</summary>
    string? WhyNotOnReal { get; }

    /// <summary>Where some are: the general faults that are played on the fake alone, and why.</summary>
    IReadOnlyDictionary<GeneralFault, string> NotOnReal { get; }
}

/// <summary>The faults of one port; found by this relation.</summary>
public abstract class FaultCatalog<TPort> : IFaultCatalog
{
    public Type Port => typeof(TPort);

    public abstract IReadOnlyList<Fault> Faults { get; }

    public virtual IReadOnlyDictionary<GeneralFault, string> CannotHappen { get; } = new Dictionary<GeneralFault, string>();

    public virtual IReadOnlyList<RealPlay> OnReal => [];

    public virtual string? WhyNotOnReal => null;

    public virtual IReadOnlyDictionary<GeneralFault, string> NotOnReal => new Dictionary<GeneralFault, string>();
}

/// <summary>Every catalog of this assembly.</summary>
public static class FaultCatalogs
{
    public static IReadOnlyList<IFaultCatalog> All { get; } =
        [.. typeof(FaultCatalogs).Assembly.GetTypes().Where(type => !type.IsAbstract && type.IsAssignableTo(typeof(IFaultCatalog))).OrderBy(type => type.Name, StringComparer.Ordinal).Select(type => (IFaultCatalog)Activator.CreateInstance(type)!)];

    /// <summary>A fault by its port's and its own name, made anew: a fault may keep state while it is played.</summary>
    public static Fault Find(string port, string name) => Of(port).Faults.Single(fault => fault.Name == name);

    public static IFaultCatalog Of(string port) => All.Single(catalog => catalog.Port.Name == port);
}
