using System.Buffers;
using Coordinator.Modules.Models.Metering;
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
}

/// <summary>
/// Passes an answer on as it comes, metering on the way. The bytes that end it wait until its usage is durable, so that
/// an agent cannot end its turn before. What was used by an answer that is cut, on either side, is recorded too.
/// </summary>
internal sealed class MeteredRelay(UsageMeter meter, Func<TokenCounts, Task<bool>> record)
{
    private const int ChunkBytes = 16 * 1024;

    /// <summary>An answer that is no stream is metered up to this size.</summary>
    private const int LongestBody = 16 * 1024 * 1024;

    private bool recorded;
    private bool isDurable;

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
        using var scanner = new EventStreamScanner(meter);
        int length;
        while ((length = await upstream.ReadAsync(chunk, over)) > 0)
        {
            var end = scanner.Take(chunk.AsSpan(0, length));
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
        var seen = new ArrayBufferWriter<byte>();
        var held = new ArrayBufferWriter<byte>();
        int length;
        while ((length = await upstream.ReadAsync(chunk, over)) > 0)
        {
            if (held.WrittenCount > 0) await answer.WriteAsync(held.WrittenMemory, over);
            held.ResetWrittenCount();
            held.Write(chunk.AsSpan(0, length));
            if (seen.WrittenCount + length <= LongestBody) seen.Write(chunk.AsSpan(0, length));
        }

        meter.TakeBody(seen.WrittenSpan);
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
