using System.Buffers.Binary;
using System.Text.Json;

namespace Coordinator.Ports.Models.Relaying;

/// <summary>Reads an answer in the form of <see cref="RelayedAnswer"/>, cut anywhere: first its head, then its body to the end.</summary>
/// <param name="read">Reads what comes next, as a stream does; 0 at its end.</param>
public sealed class RelayedAnswerReader(Func<Memory<byte>, CancellationToken, ValueTask<int>> read)
{
    private readonly byte[] buffer = new byte[16 * 1024];
    private int start;
    private int end;

    /// <summary>What is still to come of the frame of data under way.</summary>
    private int left;

    private bool ended;

    /// <summary>The head, once it has come.</summary>
    /// <exception cref="IOException">The answer broke off before, or is none.</exception>
    public async ValueTask<RelayedHead> ReadHeadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var (kind, length) = await ReadPrefixAsync(cancellationToken);
            if (kind is RelayedAnswer.Data or RelayedAnswer.End) throw new IOException("A relayed answer went on before its head.");
            if (kind == RelayedAnswer.Head) return await ReadHeadAsync(length, cancellationToken);
            await SkipAsync(length, cancellationToken);
        }
    }

    /// <summary>The next piece of the body, which is good until the next one is asked for; empty once all of it has come.</summary>
    /// <exception cref="IOException">The answer broke off.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken)
    {
        while (left == 0 && !ended)
        {
            var (kind, length) = await ReadPrefixAsync(cancellationToken);
            if (kind == RelayedAnswer.Head) throw new IOException("A relayed answer has two heads.");
            if (kind == RelayedAnswer.Data) left = length;
            else if (kind == RelayedAnswer.End) ended = true;
            else await SkipAsync(length, cancellationToken);
        }

        if (ended) return default;
        var piece = await TakeAsync(left, cancellationToken);
        left -= piece.Length;
        return piece;
    }

    private async ValueTask<RelayedHead> ReadHeadAsync(int length, CancellationToken cancellationToken)
    {
        if (length > RelayedAnswer.LargestHead) throw new IOException($"The head of a relayed answer has {length} bytes.");
        var json = new byte[length];
        for (var at = 0; at < length;)
        {
            var piece = await TakeAsync(length - at, cancellationToken);
            piece.CopyTo(json.AsMemory(at));
            at += piece.Length;
        }

        try
        {
            return JsonSerializer.Deserialize(json, RelayedHeadJson.Default.RelayedHead) ?? throw new IOException("The head of a relayed answer is empty.");
        }
        catch (JsonException unreadable)
        {
            throw new IOException("The head of a relayed answer cannot be read.", unreadable);
        }
    }

    private async ValueTask<(byte Kind, int Length)> ReadPrefixAsync(CancellationToken cancellationToken)
    {
        while (end - start < RelayedAnswer.PrefixBytes) await FillAsync(cancellationToken);
        var prefix = buffer.AsSpan(start, RelayedAnswer.PrefixBytes);
        var length = BinaryPrimitives.ReadInt32BigEndian(prefix[1..]);
        if (length < 0) throw new IOException("A relayed answer is garbled.");
        start += RelayedAnswer.PrefixBytes;
        return (prefix[0], length);
    }

    private async ValueTask SkipAsync(int length, CancellationToken cancellationToken)
    {
        while (length > 0) length -= (await TakeAsync(length, cancellationToken)).Length;
    }

    /// <summary>At least one byte, and at most so many.</summary>
    private async ValueTask<ReadOnlyMemory<byte>> TakeAsync(int most, CancellationToken cancellationToken)
    {
        if (most > 0 && start == end) await FillAsync(cancellationToken);
        var taken = buffer.AsMemory(start, Math.Min(most, end - start));
        start += taken.Length;
        return taken;
    }

    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        // At most the beginning of a prefix is moved: a piece of data is handed on before more is read.
        buffer.AsSpan(start, end - start).CopyTo(buffer);
        (start, end) = (0, end - start);
        var length = await read(buffer.AsMemory(end), cancellationToken);
        if (length == 0) throw new EndOfStreamException("A relayed answer broke off.");
        end += length;
    }
}
