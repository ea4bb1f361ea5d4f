using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports.Session;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Modules.SessionAccess.Following;

/// <summary>
/// What is written to the reader of one stream, in pieces of bounded size, each of which it has as long to take as a socket's client. Who takes
/// one no more is cut off: nothing can be said behind it, and what the server asks of the speed of an answer alone lets it stay for hours.
/// </summary>
internal sealed class StreamOutput(HttpContext context, int incarnation, TimeProvider time)
{
    /// <summary>Of events that became durable together as much as this goes out at once, and what exceeds it by one event.</summary>
    private const int PieceBytes = 64 * 1024;

    private readonly PipeWriter output = context.Response.BodyWriter;

    /// <summary>False when the reader is gone, or was cut off; then nothing more is to be written.</summary>
    public ValueTask<bool> SendAsync(ReadOnlySpan<byte> lines)
    {
        Write(lines);
        return TakenAsync();
    }

    /// <inheritdoc cref="SendAsync(ReadOnlySpan{byte})"/>
    public async ValueTask<bool> SendAsync(EventBatch batch)
    {
        var waiting = 0;
        foreach (var slice in batch.Events)
        {
            if (waiting >= PieceBytes)
            {
                if (!await TakenAsync()) return false;
                waiting = 0;
            }

            Write(batch, slice);
            waiting += slice.Length;
        }

        return await TakenAsync();
    }

    private async ValueTask<bool> TakenAsync()
    {
        var flushing = output.FlushAsync(context.RequestAborted);
        if (flushing.IsCompleted) return !(await flushing).IsCompleted;
        var taking = flushing.AsTask();
        try
        {
            return !(await taking.WaitAsync(FrameSocket.SendTimeout, time)).IsCompleted;
        }
        catch (TimeoutException)
        {
            context.Abort();
            await ((Task)taking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return false;
        }
    }

    private void Write(EventBatch batch, EventSlice slice)
    {
        Span<byte> id = stackalloc byte[64];
        Encoding.UTF8.TryGetBytes(new SessionCursor(incarnation, slice.Seq).ToString(), id, out var length);
        Write("id: "u8);
        Write(id[..length]);
        Write("\ndata: "u8);
        Write(batch.Utf8.Span.Slice(slice.Offset, slice.Length));
        Write("\n\n"u8);
    }

    private void Write(ReadOnlySpan<byte> bytes) => ((IBufferWriter<byte>)output).Write(bytes);
}
