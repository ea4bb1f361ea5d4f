using System.Collections.Concurrent;
using System.Security.Cryptography;
using Coordinator.Ports.Identity;

namespace Coordinator.Adapters.LocalIdentity;

/// <summary>HMAC-SHA256 under a key derived from the present master key for each purpose.</summary>
internal sealed class HkdfTokenSigner(MasterKeys keys) : ITokenSigner
{
    // Purposes are constants of the program and master keys are few, so this holds a handful of keys and never grows with traffic.
    private readonly ConcurrentDictionary<(string Purpose, string KeyId), byte[]> derived = [];

    public byte[] Sign(string purpose, ReadOnlySpan<byte> data) => Sign(keys.Ring.Current, purpose, data);

    /// <summary>The signature under each master key that is held, the present one first: for what outlives a rotation.</summary>
    public IReadOnlyList<byte[]> SignUnderEach(string purpose, byte[] data) => [.. keys.Ring.All.Select(key => Sign(key, purpose, data))];

    private byte[] Sign(MasterKey key, string purpose, ReadOnlySpan<byte> data) =>
        HMACSHA256.HashData(derived.GetOrAdd((purpose, key.Id), static (name, master) => master.Derive($"coordinator/sign/v1/{name.Purpose}"), key), data);
}
