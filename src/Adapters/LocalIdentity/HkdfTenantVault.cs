using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Identity;

namespace Coordinator.Adapters.LocalIdentity;

/// <summary>
/// AES-256-GCM under HKDF-SHA256(master key, organization), with organization and purpose as associated data: one
/// organization's ciphertext is gibberish under another's key, and one secret's cannot stand in for another's.
/// <para>Ciphertext: format byte (1), nonce (12), encrypted bytes, tag (16).</para>
/// </summary>
internal sealed class HkdfTenantVault(MasterKeys keys) : ITenantVault
{
    private const byte Format = 1;
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private const int Overhead = 1 + NonceSize + TagSize;

    public ValueTask<SealedSecret> SealAsync(OrganizationId organization, string purpose, ReadOnlyMemory<byte> plaintext, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var present = keys.Ring.Current;
        var sealedBytes = new byte[Overhead + plaintext.Length];
        sealedBytes[0] = Format;
        var nonce = sealedBytes.AsSpan(1, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = CipherFor(present, organization);
        cipher.Encrypt(nonce, plaintext.Span, sealedBytes.AsSpan(1 + NonceSize, plaintext.Length), sealedBytes.AsSpan(sealedBytes.Length - TagSize), AssociatedData(organization, purpose));
        return new(new SealedSecret(present.Id, sealedBytes));
    }

    public ValueTask<byte[]> OpenAsync(OrganizationId organization, string purpose, SealedSecret secret, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var key = keys.Ring.Find(secret.KeyId)
            ?? throw new PortException(PortFailureKind.Rejected, $"A secret was sealed under master key {secret.KeyId}, which is not configured here; add it to the replaced keys.") { Told = VaultProblems.KeyLost(purpose) };
        var sealedBytes = secret.Ciphertext.AsSpan();
        if (sealedBytes.Length < Overhead || sealedBytes[0] != Format) throw Unreadable(null);
        var plaintext = new byte[sealedBytes.Length - Overhead];
        using var cipher = CipherFor(key, organization);
        try
        {
            cipher.Decrypt(sealedBytes.Slice(1, NonceSize), sealedBytes.Slice(1 + NonceSize, plaintext.Length), sealedBytes[^TagSize..], plaintext, AssociatedData(organization, purpose));
        }
        catch (AuthenticationTagMismatchException mismatch)
        {
            throw Unreadable(mismatch);
        }

        return new(plaintext);
    }

    private static AesGcm CipherFor(MasterKey key, OrganizationId organization)
    {
        var derived = key.Derive($"coordinator/vault/v1/{organization}");
        try
        {
            return new AesGcm(derived, TagSize);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(derived);
        }
    }

    /// <summary>Format, organization and purpose, length-prefixed so that no two pairs read the same.</summary>
    private static byte[] AssociatedData(OrganizationId organization, string purpose)
    {
        var name = Encoding.UTF8.GetBytes(purpose);
        var data = new byte[1 + 16 + 4 + name.Length];
        data[0] = Format;
        organization.Value.TryWriteBytes(data.AsSpan(1, 16), bigEndian: true, out _);
        BinaryPrimitives.WriteInt32BigEndian(data.AsSpan(17, 4), name.Length);
        name.CopyTo(data, 21);
        return data;
    }

    private static PortException Unreadable(Exception? inner) =>
        new(PortFailureKind.Corrupt, "A sealed secret cannot be opened: it was changed, or is not this organization's or not of this purpose.", inner: inner);
}
