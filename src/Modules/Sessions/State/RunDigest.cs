using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.State;

/// <summary>
/// A hash over a run's events that can be carried on event by event, and is the same once adjacent pieces of text were merged
/// (<see cref="EventMerge"/>). <c>d' = SHA-256(d ‖ h)</c>, from 32 zero bytes: h is the SHA-256 of an envelope, or, for what an agent
/// said without anything between, one <see cref="SpokenText"/>. Carried as bytes, because it changes with every event; stored and shown
/// as <see cref="Text"/>.
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

    /// <summary>What is being said, and not yet in the hash.</summary>
    public SpokenText? Spoken { get; init; }

    /// <summary>The digest of the events so far, as a run keeps it.</summary>
    [JsonIgnore]
    public string Text => RunRecord.MergedDigest + Closed().Hex;

    public RunDigest Add(ReadOnlySpan<byte> envelope)
    {
        if (!TextDelta.TryRead(envelope, out var delta))
        {
            Span<byte> hash = stackalloc byte[Length];
            SHA256.HashData(envelope, hash);
            return Closed().With(hash);
        }

        if (Spoken is { } spoken && spoken.GoesOnWith(delta)) return this with { Spoken = spoken.Add(delta) };
        return Closed() with { Spoken = SpokenText.Begin(delta) };
    }

    public bool Equals(RunDigest? other) => other is not null && bytes.AsSpan().SequenceEqual(other.bytes) && Equals(Spoken, other.Spoken);

    public override int GetHashCode() => BitConverter.ToInt32(bytes);

    private RunDigest Closed()
    {
        if (Spoken is null) return this;
        Span<byte> hash = stackalloc byte[Length];
        Spoken.Hash(hash);
        return With(hash);
    }

    private RunDigest With(ReadOnlySpan<byte> hash)
    {
        Span<byte> link = stackalloc byte[2 * Length];
        bytes.CopyTo(link);
        hash.CopyTo(link[Length..]);
        var next = new RunDigest();
        SHA256.HashData(link, next.bytes);
        return next;
    }
}
