using System.Globalization;
using System.Net;
using Coordinator.Ports;

namespace Coordinator.Modules.Sandboxes.Egress;

/// <summary>Where a box may connect to, once it is allowed. <see cref="Pinned"/>: dial this and ask no name server.</summary>
internal sealed record EgressTarget(string Host, int Port, IPAddress? Pinned);

/// <summary>
/// Decides about connections of boxes, in two steps: may this host and port be asked for, and may the addresses that
/// the name resolved to be dialed. Pure.
/// </summary>
internal sealed class EgressPolicy(IReadOnlyList<string> allowedHosts, AddressExceptions exceptions)
{
    private static readonly int[] Ports = [80, 443];

    /// <summary>The target, or why not: <c>egress_refused</c> (403).</summary>
    public Result<EgressTarget> Decide(string? host, string? port)
    {
        if (!int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is 0 or > IPEndPoint.MaxPort) return Refused("The port is not a number from 1 to 65535.");
        if (HostPattern.Normalize(host) is not { } name) return Refused("The host is not a host name.");
        if (exceptions.Lists(name, number)) return new EgressTarget(name, number, exceptions.AddressOf(name, number) ?? Literal(name));
        if (!allowedHosts.Any(pattern => HostPattern.Matches(pattern, name)))
            return Refused($"Boxes may not connect to {name}. An operator can allow it in {EgressOptions.Section}:AllowedHosts.");
        if (!Ports.Contains(number)) return Refused($"Boxes may connect to port 80 and 443, not to {name}:{number}. Use https for git.");
        return new EgressTarget(name, number, exceptions.AddressOf(name, number) ?? Literal(name));
    }

    /// <summary>
    /// Null when all of the addresses may be dialed. One that may not refuses all: a name that leads outside and inside
    /// at once is up to no good.
    /// </summary>
    public Problem? Judge(EgressTarget target, IEnumerable<IPAddress> addresses) => addresses
        .Select(address => exceptions.WhyRefused(target.Host, target.Port, address))
        .Where(reason => reason is not null)
        .Select(reason => Refused($"{target.Host} leads to an address that is not on the public internet: {reason}. An operator can except it in {EgressOptions.Section}:Exceptions."))
        .FirstOrDefault();

    private static IPAddress? Literal(string name) => IPAddress.TryParse(name, out var address) ? address : null;

    private static Problem Refused(string detail) => new("egress_refused", detail, ProblemKind.Forbidden);
}
