using System.Security.Cryptography;

namespace Coordinator.Adapters.FileSystem;

/// <summary>A file that is written beside its final place and takes it in one step, or is gone.</summary>
internal sealed class TemporaryFile : IDisposable
{
    private readonly FileStream stream;
    private readonly string path;

    private TemporaryFile(FileStream stream, string path) => (this.stream, this.path) = (stream, path);

    public static TemporaryFile Create(string path)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var name = $"{path}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}.part";
            return new(new FileStream(name, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.Asynchronous, BufferSize = 0 }), path);
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

    /// <summary>Flushes to disk and takes the final place, replacing what is there.</summary>
    public void Publish()
    {
        try
        {
            stream.Flush(flushToDisk: true);
            stream.Dispose();
            File.Move(stream.Name, path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw StorageFailure.Of(exception);
        }
    }

    public void Dispose()
    {
        stream.Dispose();
        File.Delete(stream.Name);
    }
}
