using System.Net;
using System.Net.Sockets;
using Coordinator.Ports;

namespace Coordinator.Adapters.Git.Addresses;

/// <summary>
/// A host and the judged addresses it resolved to. Git is told these very addresses, so that a second answer of the name
/// server cannot lead it elsewhere.
/// </summary>
internal sealed record PinnedHost(string Host, int Port, IReadOnlyList<IPAddress> Addresses, bool IsExcepted)
{
    /// <summary>What git's <c>http.curloptResolve</c> takes; null for an address, which nothing resolves.</summary>
    public string? CurlResolve => IPAddress.TryParse(Host.Trim('[', ']'), out _)
        ? null
        : $"{Host}:{Port}:{string.Join(',', Addresses.Select(address => address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString()))}";

    /// <summary>Problems: <c>repository_host_refused</c>, <c>repository_unreachable</c>.</summary>
    public static async ValueTask<Result<PinnedHost>> ResolveAsync(RepositoryUrl url, AddressExceptions exceptions, CancellationToken cancellationToken)
    {
        if (exceptions.AddressOf(url.Host, url.Port) is { } given) return new PinnedHost(url.Host, url.Port, [given], IsExcepted: true);
        IPAddress[] addresses;
        try
        {
            addresses = await Dns.GetHostAddressesAsync(url.Host, cancellationToken);
        }
        catch (SocketException)
        {
            return Unreachable(url.Host);
        }

        if (addresses.Length == 0) return Unreachable(url.Host);
        foreach (var address in addresses)
        {
            if (exceptions.WhyRefused(url.Host, url.Port, address) is { } reason)
                return new Problem("repository_host_refused", $"{url.Host} is not on the public internet: its address is {reason}. An operator can except it in {GitOptions.ExceptionsKey}.");
        }

        return new PinnedHost(url.Host, url.Port, addresses, addresses.Any(address => !AddressGuard.IsPublic(address)));
    }

    private static Problem Unreachable(string host) =>
        new("repository_unreachable", $"The name {host} does not resolve. Check the URL, or try again.", ProblemKind.Unavailable, TimeSpan.FromSeconds(5));
}
