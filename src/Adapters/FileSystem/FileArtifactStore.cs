using System.Security.Cryptography;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.FileSystem;

/// <summary>
/// Blobs as files, one directory per organization: written to a temporary file, hashed on the way, flushed, and renamed
/// into place, so that what can be seen is whole; then the folders are flushed, so that what was stored stays.
/// </summary>
internal sealed class FileArtifactStore : IArtifactStore
{
    private const int BufferBytes = 128 * 1024;

    private readonly string root;
    private readonly DurableFolders folders;
    private readonly ILogger logger;

    public FileArtifactStore(IOptions<FileArtifactOptions> options, ILogger<FileArtifactStore> logger)
        : this(options, logger, DurableFolders.Flush)
    {
    }

    /// <param name="options">Where.</param>
    /// <param name="logger">Is told what could not be cleared away.</param>
    /// <param name="flush">Makes durable what a folder lists.</param>
    internal FileArtifactStore(IOptions<FileArtifactOptions> options, ILogger<FileArtifactStore> logger, Action<string> flush)
    {
        this.logger = logger;
        root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Value.Directory!));
        folders = new(root, flush);
    }

    public async ValueTask<Result<ArtifactInfo>> PutAsync(OrganizationId organization, string sha256, Stream content, long maxBytes, CancellationToken cancellationToken)
    {
        if (!ArtifactName.IsValid(sha256)) return HashMismatch;
        var path = PathOf(organization, sha256);
        using var temporary = TemporaryFile.Create(path, folders, logger);
        var written = await CopyAsync(content, temporary, maxBytes, cancellationToken);
        if (written is not { } whole) return new Problem("artifact_too_large", $"The artifact is larger than {maxBytes} bytes.", ProblemKind.TooLarge);
        if (whole.Sha256 != sha256) return HashMismatch;
        temporary.Publish();
        return whole;
    }

    public ValueTask<Stream?> OpenAsync(OrganizationId organization, string sha256, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!ArtifactName.IsValid(sha256)) return ValueTask.FromResult<Stream?>(null);
        try
        {
            return ValueTask.FromResult<Stream?>(new FileStream(PathOf(organization, sha256), new FileStreamOptions
            {
                Access = FileAccess.Read,
                Share = FileShare.Read | FileShare.Delete,
                Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
                BufferSize = BufferBytes,
            }));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return ValueTask.FromResult<Stream?>(null);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw StorageFailure.Of(exception);
        }
    }

    public ValueTask DeleteAsync(OrganizationId organization, string sha256, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!ArtifactName.IsValid(sha256)) return ValueTask.CompletedTask;
        try
        {
            var path = PathOf(organization, sha256);
            File.Delete(path);
            folders.Keep(Path.GetDirectoryName(path)!);
        }
        catch (DirectoryNotFoundException)
        {
            // The organization has no artifacts at all.
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw StorageFailure.Of(exception);
        }

        return ValueTask.CompletedTask;
    }

    private static Problem HashMismatch { get; } = new("artifact_hash_mismatch", "The bytes are not those the SHA-256 names; send the artifact again.");

    /// <summary>Null when there is more than <paramref name="maxBytes"/>. A failure of <paramref name="content"/> itself is its giver's, and passes.</summary>
    private static async Task<ArtifactInfo?> CopyAsync(Stream content, TemporaryFile file, long maxBytes, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[BufferBytes];
        long size = 0;
        int read;
        while ((read = await content.ReadAsync(buffer, cancellationToken)) > 0)
        {
            size += read;
            if (size > maxBytes) return null;
            hash.AppendData(buffer, 0, read);
            await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }

        return new(Convert.ToHexStringLower(hash.GetHashAndReset()), size);
    }

    /// <summary>Two levels, so that no directory grows without bound.</summary>
    private string PathOf(OrganizationId organization, string sha256) => Path.Combine(root, organization.ToString(), sha256[..2], sha256);
}
