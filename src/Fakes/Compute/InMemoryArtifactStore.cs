using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Fakes;

/// <summary>Blobs in memory, with the promises of the real thing: whole or not at all, hashes checked, one organization's are not another's.</summary>
public sealed class InMemoryArtifactStore : IArtifactStore
{
    private readonly ConcurrentDictionary<(OrganizationId Organization, string Sha256), byte[]> blobs = new();

    /// <summary>Faults of every method; <see cref="PortFailureKind.Full"/> is a disk without room.</summary>
    public FaultSwitch Faults { get; } = new();

    /// <summary>How many blobs there are, of all organizations.</summary>
    public int Count => blobs.Count;

    public async ValueTask<Result<ArtifactInfo>> PutAsync(OrganizationId organization, string sha256, Stream content, long maxBytes, CancellationToken cancellationToken)
    {
        if (!IsName(sha256)) return HashMismatch;
        var bytes = new ArrayBufferWriter<byte>();
        int read;
        while ((read = await content.ReadAsync(bytes.GetMemory(1), cancellationToken)) > 0)
        {
            bytes.Advance(read);
            if (bytes.WrittenCount > maxBytes) return new Problem("artifact_too_large", $"The artifact is larger than {maxBytes} bytes.", ProblemKind.TooLarge);
        }

        if (Convert.ToHexStringLower(SHA256.HashData(bytes.WrittenSpan)) != sha256) return HashMismatch;
        return await Faults.Run<Result<ArtifactInfo>>(() =>
        {
            blobs[(organization, sha256)] = bytes.WrittenSpan.ToArray();
            return new ArtifactInfo(sha256, bytes.WrittenCount);
        }, cancellationToken);
    }

    public ValueTask<Stream?> OpenAsync(OrganizationId organization, string sha256, CancellationToken cancellationToken) =>
        Faults.Run<Stream?>(() => blobs.TryGetValue((organization, sha256), out var bytes) ? new MemoryStream(bytes, writable: false) : null, cancellationToken);

    public ValueTask DeleteAsync(OrganizationId organization, string sha256, CancellationToken cancellationToken) =>
        Faults.Run(() => { blobs.TryRemove((organization, sha256), out _); }, cancellationToken);

    /// <summary>What a bad disk does: the blob of that name holds other bytes from now on.</summary>
    public void Damage(OrganizationId organization, string sha256, byte[] bytes) => blobs[(organization, sha256)] = bytes;

    private static Problem HashMismatch { get; } = new("artifact_hash_mismatch", "The bytes are not those the SHA-256 names; send the artifact again.");

    private static bool IsName(string sha256) => sha256.Length == 64 && sha256.All(char.IsAsciiHexDigitLower);
}
