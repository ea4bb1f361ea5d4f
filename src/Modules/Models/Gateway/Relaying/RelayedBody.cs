using System.IO.Pipelines;
using Coordinator.Ports.Models.Relaying;

namespace Coordinator.Modules.Models.Gateway.Relaying;

/// <summary>
/// The body of an answer, put in frames on its way: the head before the first of it, and a ping every few seconds, for which
/// nobody waits who has something to say.
/// </summary>
/// <param name="output">Where the frames go.</param>
/// <param name="head">Asked once, when the answer begins.</param>
internal sealed class RelayedBody(PipeWriter output, Func<RelayedHead> head) : Stream
{
    private readonly SemaphoreSlim gate = new(1, 1);
    private bool hasBegun;

    /// <summary>The head has been sent.</summary>
    public bool HasBegun => Volatile.Read(ref hasBegun);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Says that the host is there, unless something else is being said. A ping that is under way is not given up half: that would break the connection off.</summary>
    public async Task PingAsync()
    {
        if (!gate.Wait(0, CancellationToken.None)) return;
        try
        {
            RelayedAnswer.WritePing(output);
            await output.FlushAsync(CancellationToken.None);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Says that this was all.</summary>
    public Task EndAsync(CancellationToken cancellationToken) => SayAsync(default, ends: true, cancellationToken);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => await SayAsync(buffer, ends: false, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => SayAsync(buffer.AsMemory(offset, count), ends: false, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) => SayAsync(default, ends: false, cancellationToken);

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) gate.Dispose();
        base.Dispose(disposing);
    }

    private async Task SayAsync(ReadOnlyMemory<byte> piece, bool ends, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (!hasBegun) RelayedAnswer.WriteHead(output, head());
            Volatile.Write(ref hasBegun, true);
            if (!piece.IsEmpty) RelayedAnswer.WriteData(output, piece.Span);
            if (ends) RelayedAnswer.WriteEnd(output);
            await output.FlushAsync(cancellationToken); // only now may it be given up: frames are whole, or the connection breaks
        }
        finally
        {
            gate.Release();
        }
    }
}
