using System.Net;
using Coordinator.Ports;
using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.InProcess.Cluster;

/// <summary>What a host of a cluster says; event ids 2020 to 2039.</summary>
internal sealed partial class ClusterLog(ILogger logger)
{
    [LoggerMessage(2020, LogLevel.Warning, "{Host} is no host any more: its {Count} sessions are stopped, and it registers anew")]
    public partial void Stopping(HostId host, int count);

    [LoggerMessage(2021, LogLevel.Warning, "This host could not register with its peers; it is tried again")]
    public partial void NotRegistered(Exception failure);

    [LoggerMessage(2030, LogLevel.Error, "This host's part in the cluster ended as nobody foresaw; its sessions are stopped, and it registers anew")]
    public partial void MembershipFailed(Exception failure);

    [LoggerMessage(2022, LogLevel.Warning, "A request from {Address} that claims to come from a peer is refused")]
    public partial void Refused(PortException why, IPAddress? address);

    [LoggerMessage(2031, LogLevel.Debug, "A request from {Address} is for a host that this process is not, or not any more")]
    public partial void Elsewhere(IPAddress? address);

    [LoggerMessage(2032, LogLevel.Warning, "A peer does not believe this host; what is asked here of its sessions is answered 503")]
    public partial void NotBelieved(PortException why);

    [LoggerMessage(2023, LogLevel.Information, "The watch of {Session} missed a look; it looks again")]
    public partial void WatchMissed(Exception failure, SessionKey session);

    [LoggerMessage(2028, LogLevel.Error, "A look of the watch of {Session} ended as nobody foresaw; it looks again")]
    public partial void WatchFailed(Exception failure, SessionKey session);

    [LoggerMessage(2025, LogLevel.Information, "Whether {Host} lives could not be found out; whoever waits for it goes on waiting")]
    public partial void VigilMissed(Exception failure, HostId host);

    [LoggerMessage(2029, LogLevel.Error, "A look whether {Host} lives ended as nobody foresaw; it looks again")]
    public partial void VigilFailed(Exception failure, HostId host);

    [LoggerMessage(2026, LogLevel.Warning, "{Host} has died while this host waited for it")]
    public partial void PeerDied(HostId host);

    [LoggerMessage(2027, LogLevel.Warning, "A peer asked for what this release does not know; hosts of two releases run beside each other")]
    public partial void NotUnderstood(Exception failure);

    [LoggerMessage(2024, LogLevel.Warning, "{Session} is due and could not be woken; it stays due")]
    public partial void WakeFailed(Exception failure, SessionKey session);
}
