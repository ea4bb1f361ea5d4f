using System.Net;
using System.Net.Sockets;
using Coordinator.Ports;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.Sandboxes.Egress;

/// <summary>Asks a name server.</summary>
internal interface IHostResolver
{
    /// <summary>The addresses of a name; none when there is no such name.</summary>
    ValueTask<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken);
}

/// <summary>Asks the machine's.</summary>
internal sealed class SystemHostResolver : IHostResolver
{
    public async ValueTask<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        try
        {
            return await Dns.GetHostAddressesAsync(host, cancellationToken);
        }
        catch (SocketException)
        {
            return [];
        }
    }
}

/// <summary>
/// Connects boxes to the outside: resolves a name once, judges every address of the answer, and connects to one that
/// was judged, so that no second answer can lead elsewhere.
/// </summary>
internal sealed class EgressDialer(EgressRules rules, IHostResolver resolver, IOptions<EgressOptions> options, TimeProvider time)
{
    private const int MostAddresses = 4;

    /// <summary>A connected socket. Problems: <c>egress_refused</c> (403), <c>egress_unreachable</c> (502).</summary>
    public async ValueTask<Result<Socket>> DialAsync(OrganizationId organization, string? host, string? port, CancellationToken cancellationToken)
    {
        var policy = rules.For(organization);
        var decision = policy.Decide(host, port);
        if (!decision.IsSuccess) return decision.Problem;
        var target = decision.Value;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(options.Value.ConnectSeconds), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            var addresses = target.Pinned is { } pinned ? [pinned] : await resolver.ResolveAsync(target.Host, either.Token);
            if (addresses.Count == 0) return Unreachable(target, "there is no such host");
            if (policy.Judge(target, addresses) is { } refusal) return refusal;
            return await ConnectAsync(target, addresses.Take(MostAddresses), either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Unreachable(target, $"no answer within {options.Value.ConnectSeconds} seconds");
        }
    }

    private static async ValueTask<Result<Socket>> ConnectAsync(EgressTarget target, IEnumerable<IPAddress> addresses, CancellationToken cancellationToken)
    {
        SocketException? last = null;
        foreach (var address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, target.Port), cancellationToken);
                return socket;
            }
            catch (SocketException e)
            {
                socket.Dispose();
                last = e;
            }
            catch (OperationCanceledException)
            {
                socket.Dispose();
                throw;
            }
        }

        return Unreachable(target, last?.SocketErrorCode.ToString() ?? "no address");
    }

    private static Problem Unreachable(EgressTarget target, string reason) =>
        new("egress_unreachable", $"{target.Host}:{target.Port} could not be reached: {reason}.", ProblemKind.Unreachable);
}
