namespace Coordinator.Ports.Identity;

/// <summary>
/// Signs short-lived tokens that need no storage, under keys derived from the master key: every host that holds the
/// same master key makes and accepts the same signatures. Deterministic and free of I/O.
/// </summary>
public interface ITokenSigner
{
    /// <summary>
    /// HMAC-SHA256 of <paramref name="data"/> (32 bytes) under a key of its own for <paramref name="purpose"/>: a
    /// signature made for one purpose is worth nothing for another. Callers compare in constant time.
    /// </summary>
    byte[] Sign(string purpose, ReadOnlySpan<byte> data);
}
