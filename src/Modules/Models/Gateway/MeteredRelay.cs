using System.Buffers;
using Coordinator.Modules.Models.Metering;
using Coordinator.Ports;
using Coordinator.Ports.Models;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Modules.Models.Gateway;

/// <summary>How an answer went through.</summary>
internal enum RelayOutcome
{
    /// <summary>All of it, its usage durable before its end.</summary>
    Complete,

    /// <summary>Its usage could not be made durable: the end was held back, and the caller must see a cut.</summary>
    NotRecorded,

    /// <summary>There was no room for what has to be kept of it to count it: it stops there, and the caller must see a cut.</summary>
    NotKept,
}

/// <summary>
/// Passes an answer on as it comes, metering on the way. The bytes that end it wait until its usage is durable, so that
/// an agent cannot end its turn before. What was used by an answer that is cut, on either side, is recorded too.
/// </summary>
/// <param name="room">Gives what is kept of the answer more room, out of what its call may take of the host.</param>
internal sealed class MeteredRelay(UsageMeter meter, Func<TokenCounts, Task<bool>> record, Func<int, Problem?> room)
{
    private const int ChunkBytes = 16 * 1024;

    private bool recorded;
    private bool isDurable;

    /// <summary>Why the answer was <see cref="RelayOutcome.NotKept"/>.</summary>
    public Problem? Refusal { get; private set; }

    /// <param name="over">Ends the call at once, until its usage is durable; from then on the answer is given its end.</param>
    /// <param name="gone">The caller has left.</param>
    public async Task<RelayOutcome> RunAsync(ModelResponse upstream, HttpResponse answer, CancellationToken over, CancellationToken gone)
    {
        var chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            return IsEventStream(upstream)
                ? await RelayStreamAsync(upstream.Body, answer.Body, chunk, over, gone)
                : await RelayBodyAsync(upstream.Body, answer.Body, chunk, over, gone);
        }
        catch (OperationCanceledException) when (isDurable && !gone.IsCancellationRequested)
        {
            return RelayOutcome.Complete; // of an upstream that says no more and does not end
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
            if (!recorded) await RecordAsync();
        }
    }

    private async Task<RelayOutcome> RelayStreamAsync(Stream upstream, Stream answer, byte[] chunk, CancellationToken over, CancellationToken gone)
    {
        using var scanner = new EventStreamScanner(meter, room);
        int length;
        while ((length = await upstream.ReadAsync(chunk, over)) > 0)
        {
            var end = scanner.Take(chunk.AsSpan(0, length));
            if ((Refusal = scanner.Refusal) is not null) return RelayOutcome.NotKept;
            var free = end < 0 || recorded ? length : end;
            await WriteAsync(answer, chunk.AsMemory(0, free), isDurable ? gone : over);
            if (free == length) continue;
            if (!await RecordAsync()) return RelayOutcome.NotRecorded;
            await WriteAsync(answer, chunk.AsMemory(free, length - free), gone);
        }

        scanner.Complete();
        return recorded || await RecordAsync() ? RelayOutcome.Complete : RelayOutcome.NotRecorded;
    }

    private async Task<RelayOutcome> RelayBodyAsync(Stream upstream, Stream answer, byte[] chunk, CancellationToken over, CancellationToken gone)
    {
        // One chunk is always held back, so that the last one goes out after the record.
        using var seen = new KeptJson(room);
        var held = new ArrayBufferWriter<byte>();
        int length;
        while (seen.Refusal is null && (length = await upstream.ReadAsync(chunk, over)) > 0)
        {
            if (held.WrittenCount > 0) await answer.WriteAsync(held.WrittenMemory, over);
            held.ResetWrittenCount();
            held.Write(chunk.AsSpan(0, length));
            seen.Add(chunk.AsSpan(0, length));
        }

        meter.TakeBody(seen.Kept);
        if ((Refusal = seen.Refusal) is not null) return RelayOutcome.NotKept;
        if (!await RecordAsync()) return RelayOutcome.NotRecorded;
        await answer.WriteAsync(held.WrittenMemory, gone);
        return RelayOutcome.Complete;
    }

    private static async Task WriteAsync(Stream answer, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await answer.WriteAsync(bytes, cancellationToken);
        await answer.FlushAsync(cancellationToken);
    }

    private async Task<bool> RecordAsync()
    {
        recorded = true;
        return isDurable = meter.Counts is not { } counts || await record(counts);
    }

    private static bool IsEventStream(ModelResponse upstream) =>
        upstream.Headers.TryGetValue("Content-Type", out var type) && type.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase);
}
