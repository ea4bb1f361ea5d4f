using System.Text;
using Coordinator.Ports;

namespace Coordinator.Fakes;

/// <summary>An answer's body that arrives in the pieces the script says, and is cut when it says so.</summary>
internal sealed class ScriptedBody : Stream
{
    private readonly ModelAnswer answer;
    private readonly Queue<byte[]> pieces;
    private ReadOnlyMemory<byte> rest;

    public ScriptedBody(ModelAnswer answer, string? key)
    {
        this.answer = answer;
        pieces = new(answer.Status < 300 || key is null ? answer.Pieces : answer.Pieces.Select(piece => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(piece).Replace(key, "[key]", StringComparison.Ordinal))));
    }

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
        cancellationToken.ThrowIfCancellationRequested();
        if (rest.IsEmpty)
        {
            if (pieces.Count <= 1 && answer.Gate is { } gate) await gate.WaitAsync(cancellationToken);
            if (!pieces.TryDequeue(out var piece))
                return answer.CutAtEnd ? throw new PortException(PortFailureKind.Unavailable, "The model provider cut its answer off.", effectMayHaveHappened: true) : 0;
            rest = piece;
        }

        var length = Math.Min(buffer.Length, rest.Length);
        rest[..length].CopyTo(buffer);
        rest = rest[length..];
        return length;
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
}
