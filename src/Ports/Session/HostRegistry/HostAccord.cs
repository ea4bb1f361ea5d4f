using System.Globalization;
using Coordinator.Ports.Compute.DataPlane;

namespace Coordinator.Ports.Session;

/// <summary>A living host as the store has it.</summary>
/// <param name="Age">Smaller for who registered earlier, by the store's count.</param>
/// <param name="ClockAhead">How far its clock was ahead of the store's when it was last heard; null: it does not say.</param>
/// <param name="KeyPrint">See <see cref="HostIntroduction.KeyPrint"/>.</param>
public sealed record HostStanding(HostId Id, long Age, TimeSpan? ClockAhead, string? KeyPrint);

/// <summary>
/// Which hosts can be one cluster: they believe each other while their clocks are no further apart than signatures allow and they sign under the same
/// key. Of the living ones all go by one: the one that most of them believe; of several those whose clocks are right by the store's; of these the oldest.
/// Whoever that one does not believe is to be no host. So one always is, whatever is wrong with whom, and a store whose own clock is wrong costs nobody
/// anything who agrees with his peers. Pure.
/// </summary>
public static class HostAccord
{
    /// <summary>Nearer than this to the store's clock two hosts are never too far apart.</summary>
    private static readonly TimeSpan Right = RequestSignature.AllowedSkew / 2;

    /// <summary>Why a host must not be one among these others; null: it may.</summary>
    public static HostDiscord? Judge(HostStanding self, IEnumerable<HostStanding> others)
    {
        HostStanding[] all = [self, .. others];
        var first = all.OrderBy(IsSilent).ThenByDescending(host => all.Count(other => Between(host, other) is null)).ThenBy(IsOff).ThenBy(host => host.Age).First();
        return Between(self, first) is { } kind ? new(kind, self, first) : null;
    }

    /// <summary>Of an older release: it is believed for want of anything to compare, and tells nothing of whom to go by.</summary>
    private static bool IsSilent(HostStanding host) => host.ClockAhead is null || host.KeyPrint is null;

    private static bool IsOff(HostStanding host) => host.ClockAhead is { } ahead && ahead.Duration() > Right;

    private static HostDiscordKind? Between(HostStanding one, HostStanding other) =>
        one.KeyPrint is not null && other.KeyPrint is not null && one.KeyPrint != other.KeyPrint ? HostDiscordKind.Key
        : (one.ClockAhead - other.ClockAhead)?.Duration() > RequestSignature.AllowedSkew ? HostDiscordKind.Clock
        : null;
}

/// <summary>What two hosts do not agree in.</summary>
public enum HostDiscordKind
{
    /// <summary>Their clocks are further apart than hosts' may be.</summary>
    Clock,

    /// <summary>They sign under different keys.</summary>
    Key,
}

/// <summary>Why a host must not be one, beside the one that the others go by.</summary>
public sealed record HostDiscord(HostDiscordKind Kind, HostStanding Self, HostStanding With)
{
    /// <summary>What is thrown at a process that registers. It may come right by itself, so that it is tried again.</summary>
    public PortException ToException() => new(PortFailureKind.Unavailable, Kind switch
    {
        HostDiscordKind.Clock => string.Create(CultureInfo.InvariantCulture, $"The clock here is {Apart(Self)}, that of {With.Id} is {Apart(With)}: neither would believe what the other says. Set the clock; this host then goes on by itself."),
        _ => $"The first master key here (Vault:KeyFile or Vault:MasterKey) is not that of {With.Id}, which most of the hosts have, or who was there first: neither would believe what the other says. Give all hosts the same, or stop the others.",
    });

    /// <summary>In whole minutes, so that what lasts is said in the same words.</summary>
    private static string Apart(HostStanding host) => string.Create(CultureInfo.InvariantCulture, $"{host.ClockAhead?.Duration().TotalMinutes:F0} minutes {(host.ClockAhead < TimeSpan.Zero ? "behind" : "ahead of")} the database's");
}
