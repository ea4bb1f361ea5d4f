using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.FileSystem;

/// <summary>A file that is written beside its final place and takes it in one step, or is gone.</summary>
internal sealed partial class TemporaryFile : IDisposable
{
    private readonly FileStream stream;
    private readonly string path;
    private readonly DurableFolders folders;
    private readonly ILogger logger;

    private TemporaryFile(FileStream stream, string path, DurableFolders folders, ILogger logger) =>
        (this.stream, this.path, this.folders, this.logger) = (stream, path, folders, logger);

    public static TemporaryFile Create(string path, DurableFolders folders, ILogger logger)
    {
        try
        {
            folders.Make(Path.GetDirectoryName(path)!);
            var name = $"{path}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}.part";
            return new(new FileStream(name, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.Asynchronous, BufferSize = 0 }), path, folders, logger);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw StorageFailure.Of(exception);
        }
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await stream.WriteAsync(bytes, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw StorageFailure.Of(exception);
        }
    }

    /// <summary>Flushes to disk and takes the final place, replacing what is there; it has it for good once this has returned.</summary>
    public void Publish()
    {
        try
        {
            stream.Flush(flushToDisk: true);
            stream.Dispose();
            File.Move(stream.Name, path, overwrite: true);
            folders.Keep(Path.GetDirectoryName(path)!);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw StorageFailure.Of(exception);
        }
    }

    /// <summary>Never fails: what could not be cleared away would hide what went wrong before it.</summary>
    public void Dispose()
    {
        try
        {
            stream.Dispose();
            File.Delete(stream.Name);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogLeft(logger, stream.Name, exception);
        }
    }

    [LoggerMessage(EventId = 5601, Level = LogLevel.Warning, Message = "The unfinished artifact {File} could not be removed; it is in nobody's way but takes room.")]
    private static partial void LogLeft(ILogger logger, string file, Exception failure);
}
