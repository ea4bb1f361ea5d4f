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
    /// <see cref="PortFailureKind.Rejected"/>: the key id is not known here; who asked is told <see cref="VaultProblems.KeyLost"/>.
    /// </exception>
    ValueTask<byte[]> OpenAsync(OrganizationId organization, string purpose, SealedSecret secret, CancellationToken cancellationToken);
}

/// <summary>What a vault has to say to the people whose secrets it keeps.</summary>
public static class VaultProblems
{
    /// <summary>The secret called <paramref name="purpose"/> cannot be opened with any key that this host holds.</summary>
    public static Problem KeyLost(string purpose) => new(
        "secret_key_lost",
        $"The secret {purpose} was sealed under a master key that this host does not have. Ask the operator to put that key back, or enter the secret again.",
        ProblemKind.Unprocessable);
}

/// <summary>Ciphertext with nonce and tag, and the id of the master key it was sealed under.</summary>
public sealed record SealedSecret(string KeyId, byte[] Ciphertext);
