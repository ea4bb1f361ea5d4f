using System.Net;
using System.Net.Sockets;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Modules.Kernel.Authentication;

/// <summary>
/// Counts guesses at credentials per minute, by address (a /64 for IPv6) and over all, and refuses what is beyond. Its
/// memory is bounded: it forgets each minute.
/// </summary>
public sealed class AttemptLimiter(TimeProvider time)
{
    /// <summary>How many attempts one address has in a minute.</summary>
    public const int PerAddress = 20;

    /// <summary>How many attempts all addresses together have in a minute.</summary>
    public const int Overall = 600;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly Dictionary<string, int> attempts = new(StringComparer.Ordinal);
    private long windowStart = time.GetTimestamp();
    private int total;

    /// <summary>Counts one attempt; the refusal when it is one too many. A connection without an address (a unix socket) is one caller.</summary>
    public Problem? Count(IPAddress? address)
    {
        lock (gate)
        {
            var elapsed = time.GetElapsedTime(windowStart);
            if (elapsed >= Window)
            {
                attempts.Clear();
                total = 0;
                windowStart = time.GetTimestamp();
                elapsed = TimeSpan.Zero;
            }

            var key = KeyOf(address);
            var used = attempts.GetValueOrDefault(key);
            if (used >= PerAddress || total >= Overall)
                return new("too_many_attempts", "Too many attempts from here; wait a minute.", ProblemKind.TooMany, Window - elapsed);
            attempts[key] = used + 1;
            total++;
            return null;
        }
    }

    private static string KeyOf(IPAddress? address)
    {
        if (address is null) return string.Empty;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8)) : address.ToString();
    }
}

/// <summary>Applies the limiter to the endpoints that ask for it.</summary>
internal sealed class AttemptLimitMiddleware(RequestDelegate next, AttemptLimiter limiter)
{
    public Task InvokeAsync(HttpContext context)
    {
        var limited = context.GetEndpoint()?.Metadata.GetMetadata<AttemptsLimited>() is not null;
        return limited && limiter.Count(context.Connection.RemoteIpAddress) is { } refused ? context.WriteProblemAsync(refused) : next(context);
    }
}
