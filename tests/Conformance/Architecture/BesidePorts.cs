namespace Coordinator.Tests.Conformance.Architecture;

/// <summary>Interfaces of src/Ports that adapters implement and that are no ports, and why each is none.</summary>
internal static class BesidePorts
{
    public static readonly IReadOnlySet<string> Allowed = new HashSet<string>(StringComparer.Ordinal)
    {
        // What a call of IHostRegistry hands out: parts of that port, tried by its contract.
        "Coordinator.Ports.Session.IHostRegistration",
        "Coordinator.Ports.Session.IOpeningListener",

        // What a call of ISessionHost hands out: parts of that port, tried by its contract.
        "Coordinator.Ports.Session.IBridgeLink",
        "Coordinator.Ports.Session.ISessionHold",

        // What a call of ISessionHost is handed: the box's end, passed on where its socket is on another host than its session.
        "Coordinator.Ports.Session.IBridgeSink",

        "Coordinator.Ports.Session.ISessionSubscription",

        // Arithmetic under the master key: no I/O, nothing that could fail or be away.
        "Coordinator.Ports.Identity.ITokenSigner",
        "Coordinator.Ports.Session.IBoxTokenScheme",

        // One question of a start, to the store behind ITenantDirectory: played by hosts that start with another key.
        "Coordinator.Ports.Identity.ISealingKeys",

        // How an adapter says whether it works; every adapter may.
        "Coordinator.Ports.IHostDependency",

        // What the journal's store tells a session host that has no peers: played by a fail-over of two real servers.
        "Coordinator.Ports.Session.IKeepsSessions",

        // What the host tells its adapters, not the other way about: a moment.
        "Coordinator.Ports.IHostReadiness",
    };
}
