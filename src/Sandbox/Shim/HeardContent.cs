using System.Net;

namespace Coordinator.Sandbox.Shim;

/// <summary>The body of a call, which tells of each piece that was taken: who takes a large one slowly is not silent.</summary>
internal sealed class HeardContent(byte[] body, Action taken) : HttpContent
{
    private const int Piece = 64 * 1024;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        for (var at = 0; at < body.Length; at += Piece)
        {
            await stream.WriteAsync(body.AsMemory(at, Math.Min(Piece, body.Length - at)), cancellationToken);
            taken();
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = body.Length;
        return true;
    }
}
