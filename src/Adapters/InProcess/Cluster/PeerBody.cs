using System.Buffers;

namespace Coordinator.Adapters.InProcess.Cluster;

/// <summary>The body of a request, held as it comes and not as it was announced: who sends it is known only once all of it is here.</summary>
internal sealed class PeerBody : IDisposable
{
    private const int First = 4 * 1024;

    private readonly int announced;
    private byte[] buffer;
    private int length;

    private PeerBody(int announced)
    {
        this.announced = announced;
        buffer = ArrayPool<byte>.Shared.Rent(Math.Min(announced, First));
    }

    public ReadOnlyMemory<byte> Bytes => buffer.AsMemory(0, length);

    /// <summary>Reads so many bytes; null when the body ends before.</summary>
    public static async Task<PeerBody?> ReadAsync(Stream from, int announced, CancellationToken cancellationToken)
    {
        var body = new PeerBody(announced);
        try
        {
            if (await body.FillAsync(from, cancellationToken)) return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }

        body.Dispose();
        return null;
    }

    public void Dispose()
    {
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
        (buffer, length) = ([], 0);
    }

    private async Task<bool> FillAsync(Stream from, CancellationToken cancellationToken)
    {
        while (length < announced)
        {
            if (length == buffer.Length) Grow();
            var read = await from.ReadAsync(buffer.AsMemory(length, Math.Min(buffer.Length, announced) - length), cancellationToken);
            if (read == 0) return false;
            length += read;
        }

        return true;
    }

    private void Grow()
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Min(announced, buffer.Length * 2));
        Bytes.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }
}
