using Coordinator.Ports;

namespace Coordinator.Adapters.DirectModels.Upstream;

/// <summary>
/// An answer's body, read as it comes: a silence beyond the bound, or a cut, is a <see cref="PortException"/>, and no
/// message of the transport, which may name what it should not, gets out.
/// </summary>
internal sealed class GuardedBody(Stream inner, string provider, TimeSpan idle, TimeProvider time) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var silence = new CancellationTokenSource(idle, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, silence.Token);
        try
        {
            return await inner.ReadAsync(buffer, both.Token);
        }
        catch (OperationCanceledException) when (silence.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new PortException(PortFailureKind.Timeout, $"The model provider {provider} fell silent for {idle.TotalSeconds:0} s inside its answer.", effectMayHaveHappened: true);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            throw new PortException(PortFailureKind.Unavailable, $"The model provider {provider} cut its answer off.", effectMayHaveHappened: true);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A model's answer is read asynchronously.");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }
}
