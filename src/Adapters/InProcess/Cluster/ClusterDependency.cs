using Coordinator.Ports;

namespace Coordinator.Adapters.InProcess.Cluster;

/// <summary>A host serves once it is one of its cluster.</summary>
internal sealed class ClusterDependency(Membership members, ClusterSessionHost host) : IHostDependency
{
    public string Name => "cluster";

    public string Description => members.Find() is { } member ? $"{member.Location.Id} at {member.Location.Address}" : "not registered";

    public bool IsRequired => true;

    /// <summary>Its peers pass sessions on to it from then on, which it opens by the schema and with the roles that the database's start has looked at.</summary>
    public bool IsLast => true;

    public Task StartAsync(CancellationToken cancellationToken) => members.StartAsync(cancellationToken);

    public ValueTask<string?> CheckAsync(CancellationToken cancellationToken) =>
        new(host.IsDraining ? "This host is stopping." : members.Find() is null ? WhyNotRegistered : null);

    private string WhyNotRegistered => members.Obstacle is { } obstacle ? $"This host could not register with its peers, and tries it again: {obstacle}" : "This host is registering with its peers.";
}
