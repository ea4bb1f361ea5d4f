using System.Globalization;
using System.Text;

namespace Coordinator.Sandbox.Shim;

/// <summary>Reads the body of a request, of given length or in chunks, within a bound.</summary>
internal static class RequestBody
{
    private const int Block = 16 * 1024;
    private const int MaxChunkLine = 1024;

    /// <summary>Hands over the body block by block. False when it breaks the rules of HTTP, the bound, or off.</summary>
    public static async ValueTask<bool> ReadAsync(ClientConnection client, RequestHead head, long maxBytes, Func<ReadOnlyMemory<byte>, ValueTask> take, CancellationToken cancellationToken)
    {
        // Both lengths at once is how a request is hidden in another's body.
        if (head.IsChunked) return head["Content-Length"] is null && await ReadChunksAsync(client, maxBytes, take, cancellationToken);
        if (head["Transfer-Encoding"] is not null || head.ContentLength() is not { } length || length > maxBytes) return false;
        return await CopyAsync(client, length, take, cancellationToken);
    }

    /// <summary>The whole body, or null.</summary>
    public static async ValueTask<byte[]?> ReadAllAsync(ClientConnection client, RequestHead head, long maxBytes, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        var whole = await ReadAsync(client, head, maxBytes, block =>
        {
            body.Write(block.Span);
            return ValueTask.CompletedTask;
        }, cancellationToken);
        return whole ? body.ToArray() : null;
    }

    private static async ValueTask<bool> ReadChunksAsync(ClientConnection client, long maxBytes, Func<ReadOnlyMemory<byte>, ValueTask> take, CancellationToken cancellationToken)
    {
        for (var total = 0L; ;)
        {
            if (await ReadLineAsync(client, cancellationToken) is not { } line) return false;
            if (!long.TryParse(line.Split(';')[0].Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var size) || size < 0) return false;
            if (size == 0) break;
            total += size;
            if (total > maxBytes || !await CopyAsync(client, size, take, cancellationToken)) return false;
            if (await ReadLineAsync(client, cancellationToken) is not "") return false;
        }

        while (await ReadLineAsync(client, cancellationToken) is { } trailer)
        {
            if (trailer.Length == 0) return true;
        }

        return false;
    }

    private static async ValueTask<bool> CopyAsync(ClientConnection client, long length, Func<ReadOnlyMemory<byte>, ValueTask> take, CancellationToken cancellationToken)
    {
        var block = new byte[Math.Min(length, Block)];
        while (length > 0)
        {
            var read = await client.ReadAsync(block.AsMemory(0, (int)Math.Min(block.Length, length)), cancellationToken);
            if (read == 0) return false;
            await take(block.AsMemory(0, read));
            length -= read;
        }

        return true;
    }

    private static async ValueTask<string?> ReadLineAsync(ClientConnection client, CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (line.Length < MaxChunkLine)
        {
            if (await client.ReadAsync(one, cancellationToken) == 0) return null;
            if (one[0] == '\n') return line.Length > 0 && line[^1] == '\r' ? line.ToString(0, line.Length - 1) : null;
            line.Append((char)one[0]);
        }

        return null;
    }
}
