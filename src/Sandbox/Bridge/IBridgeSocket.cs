namespace Coordinator.Sandbox.Bridge;

/// <summary>One connection to the control plane.</summary>
internal interface IBridgeSocket : IAsyncDisposable
{
    ValueTask SendAsync(ReadOnlyMemory<byte> frame, CancellationToken cancellationToken);

    /// <summary>
    /// The next text frame; valid until the next call. Null when the other side closed, see <see cref="CloseCode"/>.
    /// </summary>
    /// <exception cref="IOException">The connection broke.</exception>
    /// <exception cref="InvalidDataException">The other side sent what no frame may be.</exception>
    ValueTask<ReadOnlyMemory<byte>?> ReceiveAsync(CancellationToken cancellationToken);

    /// <summary>The code the other side closed with, when it did.</summary>
    int? CloseCode { get; }

    /// <summary>Says goodbye, in bounded time.</summary>
    ValueTask CloseAsync(int code, string reason, CancellationToken cancellationToken);
}

/// <summary>How a dial went.</summary>
internal abstract record DialResult
{
    private DialResult()
    {
    }

    public sealed record Open(IBridgeSocket Socket) : DialResult;

    /// <summary>The control plane answered with this status.</summary>
    public sealed record Refused(int Status) : DialResult;

    /// <summary>Nobody answered.</summary>
    public sealed record Unreachable(string Why) : DialResult;
}

internal interface IBridgeDialer
{
    ValueTask<DialResult> DialAsync(CancellationToken cancellationToken);
}
