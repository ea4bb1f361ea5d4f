using System.Security.Cryptography;
using System.Text;

namespace Coordinator.Adapters.LocalIdentity;

/// <summary>
/// One master key. Nothing is ever encrypted under it directly: each use has a key of its own by HKDF-SHA256, so that
/// no two purposes and no two organizations share one.
/// </summary>
internal sealed class MasterKey
{
    /// <summary>Length of a master key and of everything derived from it.</summary>
    public const int Size = 32;

    private readonly byte[] material;

    private MasterKey(byte[] material)
    {
        this.material = material;
        Id = Convert.ToHexStringLower(Derive("coordinator/key-id/v1").AsSpan(0, 8));
    }

    /// <summary>Names the key in ciphertexts: derived from it by a one-way function, so it needs no bookkeeping and tells nothing.</summary>
    public string Id { get; }

    /// <summary>Reads a key; null when <paramref name="text"/> is not base64 of 32 bytes.</summary>
    public static MasterKey? FromBase64(string text)
    {
        var bytes = new byte[Size];
        var trimmed = text.Trim();
        return Convert.TryFromBase64String(trimmed, bytes, out var written) && written == Size && Convert.ToBase64String(bytes) == trimmed ? new(bytes) : null;
    }

    /// <summary>A key of 32 bytes for one purpose.</summary>
    public byte[] Derive(string purpose) => HKDF.DeriveKey(HashAlgorithmName.SHA256, material, Size, salt: [], info: Encoding.UTF8.GetBytes(purpose));
}
