using System.Security.Cryptography;

namespace Coordinator.Modules.Sessions.State;

/// <summary>
/// A hash over a run's events that can be carried on event by event: <c>d' = SHA-256(d ‖ SHA-256(envelope))</c>, from 32 zero bytes.
/// Carried as bytes, because it changes with every event; stored and shown as hex.
/// </summary>
public sealed record RunDigest
{
    private const int Length = SHA256.HashSizeInBytes;

    private readonly byte[] bytes = new byte[Length];

    public static RunDigest Empty { get; } = new();

    public string Hex
    {
        get => Convert.ToHexStringLower(bytes);
        init => bytes = value.Length == 2 * Length ? Convert.FromHexString(value) : throw new FormatException("A digest has 64 hex digits.");
    }

    public RunDigest Add(ReadOnlySpan<byte> envelope)
    {
        Span<byte> link = stackalloc byte[2 * Length];
        bytes.CopyTo(link);
        SHA256.HashData(envelope, link[Length..]);
        var next = new RunDigest();
        SHA256.HashData(link, next.bytes);
        return next;
    }

    public bool Equals(RunDigest? other) => other is not null && bytes.AsSpan().SequenceEqual(other.bytes);

    public override int GetHashCode() => BitConverter.ToInt32(bytes);
}
