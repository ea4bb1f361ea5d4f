using System.Collections.Concurrent;
using System.Security.Cryptography;
using Coordinator.Ports.Identity;

namespace Coordinator.Adapters.LocalIdentity;

/// <summary>HMAC-SHA256 under a key derived from the present master key for each purpose.</summary>
internal sealed class HkdfTokenSigner(MasterKeyRing keys) : ITokenSigner
{
    // Purposes are constants of the program, so this holds a handful of keys and never grows with traffic.
    private readonly ConcurrentDictionary<string, byte[]> derived = new(StringComparer.Ordinal);

    public byte[] Sign(string purpose, ReadOnlySpan<byte> data) =>
        HMACSHA256.HashData(derived.GetOrAdd(purpose, static (name, key) => key.Derive($"coordinator/sign/v1/{name}"), keys.Current), data);
}
