namespace Coordinator.Adapters.InProcess.Cluster;

/// <summary>Section <c>Cluster</c>: several hosts on one database. Who waits for a host that hangs is let go once its peers take it for dead (<c>Database:Hosts:TimeToLive</c>). Without an address this host is alone.</summary>
public sealed class ClusterOptions
{
    public const string Section = "Cluster";

    /// <summary>Where the other hosts reach this one, such as <c>http://10.0.0.5:8787</c>; unset: one host.</summary>
    public Uri? Address { get; set; }

    /// <summary>The longest another host may take to answer. Default 35 s: a call there may take 30 s by itself.</summary>
    public TimeSpan PeerTimeout { get; set; } = TimeSpan.FromSeconds(35);

    /// <summary>How often a session that no host has awake is looked at for those who watch it, though nobody told of its opening. Default 10 s.</summary>
    public TimeSpan WatchInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a call looks for a session's host while one dies and another takes over. Default 15 s.</summary>
    public TimeSpan SearchTime { get; set; } = TimeSpan.FromSeconds(15);
}
