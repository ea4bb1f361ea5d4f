using System.Security.Cryptography;
using Coordinator.Ports;
using Coordinator.Ports.Identity;

namespace Coordinator.Fakes;

/// <summary>
/// A vault that seals by keeping: a ciphertext is a random claim check, and opening it compares organization, purpose
/// and every byte with what was handed out. No cryptography, the same promises.
/// </summary>
public sealed class InMemoryTenantVault : ITenantVault
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Sealed> kept = new(StringComparer.Ordinal);
    private readonly HashSet<string> keyIds = new(StringComparer.Ordinal) { "memory-1" };
    private string currentKeyId = "memory-1";

    /// <summary>Faults of every method.</summary>
    public FaultSwitch Faults { get; } = new();

    /// <summary>True: the master keys are not there, and another has been made in their place: it opens nothing of theirs.</summary>
    public bool IsMasterMissing { get; set; }

    /// <summary>Seals under another key from now on; what the earlier ones sealed can still be opened.</summary>
    public void Rotate()
    {
        lock (gate)
        {
            currentKeyId = $"memory-{keyIds.Count + 1}";
            keyIds.Add(currentKeyId);
        }
    }

    public ValueTask<SealedSecret> SealAsync(OrganizationId organization, string purpose, ReadOnlyMemory<byte> plaintext, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            var claim = RandomNumberGenerator.GetBytes(32);
            lock (gate)
            {
                kept[Convert.ToHexString(claim)] = new(organization, purpose, currentKeyId, plaintext.ToArray());
                return new SealedSecret(currentKeyId, claim);
            }
        }, cancellationToken);

    public ValueTask<byte[]> OpenAsync(OrganizationId organization, string purpose, SealedSecret secret, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate)
            {
                if (IsMasterMissing || !keyIds.Contains(secret.KeyId)) throw new PortException(PortFailureKind.Rejected, $"The key {secret.KeyId} is not known here.") { Told = VaultProblems.KeyLost(purpose) };
                if (!kept.TryGetValue(Convert.ToHexString(secret.Ciphertext), out var found)
                    || found.Organization != organization || found.Purpose != purpose || found.KeyId != secret.KeyId)
                {
                    throw new PortException(PortFailureKind.Corrupt, "This was not sealed for that organization and purpose.");
                }

                return (byte[])found.Plaintext.Clone();
            }
        }, cancellationToken);

    private sealed record Sealed(OrganizationId Organization, string Purpose, string KeyId, byte[] Plaintext);
}
