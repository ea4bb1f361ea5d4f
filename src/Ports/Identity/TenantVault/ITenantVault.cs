namespace Coordinator.Ports.Identity;

/// <summary>
/// Seals and opens tenant secrets. A ciphertext made for one organization or one purpose cannot be opened as another's;
/// any flipped bit is refused. Plaintext is never kept or logged.
/// </summary>
[Port(Plane.Identity)]
public interface ITenantVault
{
    /// <summary>Seals <paramref name="plaintext"/> for an organization and a purpose (the secret's name).</summary>
    ValueTask<SealedSecret> SealAsync(OrganizationId organization, string purpose, ReadOnlyMemory<byte> plaintext, CancellationToken cancellationToken);

    /// <summary>Opens what <see cref="SealAsync"/> made for the same organization and purpose.</summary>
    /// <exception cref="PortException">
    /// <see cref="PortFailureKind.Corrupt"/>: wrong organization, wrong purpose or changed bytes (not told apart).
    /// <see cref="PortFailureKind.Rejected"/>: the key id is not known here.
    /// </exception>
    ValueTask<byte[]> OpenAsync(OrganizationId organization, string purpose, SealedSecret secret, CancellationToken cancellationToken);
}

/// <summary>Ciphertext with nonce and tag, and the id of the master key it was sealed under.</summary>
public sealed record SealedSecret(string KeyId, byte[] Ciphertext);
