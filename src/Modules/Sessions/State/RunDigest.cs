using System.Security.Cryptography;

namespace Coordinator.Modules.Sessions.State;

/// <summary>
/// A hash over a run's events that can be carried on event by event: <c>d' = SHA-256(d ‖ SHA-256(envelope))</c>, from 32 zero bytes.
/// </summary>
public sealed record RunDigest(string Hex)
{
    public static RunDigest Empty { get; } = new(new string('0', 64));

    public RunDigest Add(ReadOnlySpan<byte> envelope)
    {
        Span<byte> link = stackalloc byte[64];
        Convert.FromHexString(Hex, link, out _, out _);
        SHA256.HashData(envelope, link[32..]);
        Span<byte> next = stackalloc byte[32];
        SHA256.HashData(link, next);
        return new(Convert.ToHexStringLower(next));
    }
}
