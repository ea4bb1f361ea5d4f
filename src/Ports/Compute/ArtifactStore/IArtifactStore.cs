namespace Coordinator.Ports.Compute;

/// <summary>
/// Blobs of an organization, addressed by the SHA-256 of their content (64 lower-case hex digits), streamed both ways.
/// The same content of another organization is another blob.
/// </summary>
[Port(Plane.Compute)]
public interface IArtifactStore
{
    /// <summary>
    /// Stores a blob; idempotent. Nothing is visible until it is whole and its hash is right, and what was stored is there
    /// after a loss of power too.
    /// Problems: <c>artifact_hash_mismatch</c> (422), <c>artifact_too_large</c> (413) above <paramref name="maxBytes"/>.
    /// </summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Full"/>: no room.</exception>
    ValueTask<Result<ArtifactInfo>> PutAsync(OrganizationId organization, string sha256, Stream content, long maxBytes, CancellationToken cancellationToken);

    /// <summary>Opens a blob for reading; null when there is none. The caller disposes the stream.</summary>
    ValueTask<Stream?> OpenAsync(OrganizationId organization, string sha256, CancellationToken cancellationToken);

    /// <summary>Idempotent; what was deleted does not come back.</summary>
    ValueTask DeleteAsync(OrganizationId organization, string sha256, CancellationToken cancellationToken);
}

/// <summary>A stored artifact: the SHA-256 of its content in hex, and its size in bytes.</summary>
public sealed record ArtifactInfo(string Sha256, long Size);
