using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Coordinator.Ports;

/// <summary>
/// Says whether an address may be dialed on behalf of a tenant: only what lies on the public internet. It judges
/// addresses, never names: resolve once, judge every address of the answer, connect to a judged one, so that a second
/// answer of the name server cannot change the target. Pure.
/// <para>
/// The documentation ranges of RFC 5737 pass: some networks number their package mirrors with them, and nothing of
/// the host's own listens there.
/// </para>
/// </summary>
public static class AddressGuard
{
    /// <summary>The wire server of Azure, a metadata service on an address that looks public.</summary>
    private const uint AzureWireServer = 0xA83F8110;

    private static readonly (uint Network, int Bits, string Reason)[] RefusedV4 =
    [
        (0x00000000, 8, "this network (0.0.0.0/8)"),
        (0x0A000000, 8, "private (RFC 1918)"),
        (0x64400000, 10, "carrier-grade NAT (100.64.0.0/10)"),
        (0x7F000000, 8, "loopback"),
        (0xA9FE0000, 16, "link-local, where metadata services are"),
        (0xAC100000, 12, "private (RFC 1918)"),
        (0xC0000000, 24, "protocol assignments (192.0.0.0/24)"),
        (0xC0A80000, 16, "private (RFC 1918)"),
        (0xC6120000, 15, "benchmarking (198.18.0.0/15)"),
        (AzureWireServer, 32, "a metadata service"),
        (0xE0000000, 4, "multicast"),
        (0xF0000000, 4, "reserved (240.0.0.0/4)"),
    ];

    /// <summary>True when the address may be dialed for a tenant.</summary>
    public static bool IsPublic(IPAddress address) => WhyRefused(address) is null;

    /// <summary>Null when the address may be dialed for a tenant; otherwise what it is, as a few words for a person.</summary>
    public static string? WhyRefused(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        Span<byte> bytes = stackalloc byte[16];
        if (!address.TryWriteBytes(bytes, out var length)) return "not an internet address";
        return address.AddressFamily == AddressFamily.InterNetwork && length == 4
            ? WhyRefusedV4(BinaryPrimitives.ReadUInt32BigEndian(bytes))
            : WhyRefusedV6(address, bytes);
    }

    private static string? WhyRefusedV4(uint address)
    {
        foreach (var (network, bits, reason) in RefusedV4)
        {
            if ((address ^ network) >> (32 - bits) == 0) return reason;
        }

        return null;
    }

    private static string? WhyRefusedV6(IPAddress address, ReadOnlySpan<byte> bytes)
    {
        if (address.Equals(IPAddress.IPv6Any)) return "unspecified";
        if (address.Equals(IPAddress.IPv6Loopback)) return "loopback";
        if (address.IsIPv6Multicast) return "multicast";
        if (address.IsIPv6LinkLocal) return "link-local";
        if (address.IsIPv6SiteLocal) return "site-local";
        if (address.IsIPv6UniqueLocal) return "unique-local, where metadata services are";
        return EmbeddedV4(bytes) is { } embedded ? WhyRefusedV4(embedded) : WhyRefusedTransition(bytes);
    }

    /// <summary>Ranges that lead to an IPv4 address or a relay that cannot be judged.</summary>
    private static string? WhyRefusedTransition(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt64BigEndian(bytes) switch
    {
        var high when high >> 16 == 0x0064_FF9B_0001 => "local-use NAT64 (64:ff9b:1::/48)",
        var high when high >> 32 == 0x2001_0000 => "Teredo (2001::/32)",
        0x0100_0000_0000_0000 => "discard-only (100::/64)",
        _ => null,
    };

    /// <summary>The IPv4 address that a mapped, compatible, translated, NAT64 or 6to4 address stands for.</summary>
    private static uint? EmbeddedV4(ReadOnlySpan<byte> bytes)
    {
        var high = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        var next = BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]);
        var last = BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]);
        return (high, next) switch
        {
            (0, 0) => last,
            (0, 0x0000_FFFF) => last,
            (0, 0xFFFF_0000) => last,
            (0x0064_FF9B_0000_0000, 0) => last,
            _ when high >> 48 == 0x2002 => (uint)(high >> 16),
            _ => null,
        };
    }
}
