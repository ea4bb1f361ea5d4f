using System.Security.Cryptography;

namespace Coordinator.Ports.Record;

/// <summary>
/// A thing in one version, as a topic tells of it. <see cref="Payload"/> is UTF-8 JSON, or null when the thing is gone.
/// <see cref="PayloadHash"/> is the lower-case hex SHA-256 of the payload, of no bytes when it is null.
/// </summary>
public sealed record FeedDocument(string Topic, string DocKey, long DocVersion, ReadOnlyMemory<byte>? Payload, string PayloadHash)
{
    /// <summary>A document with the hash of its payload.</summary>
    public static FeedDocument Of(string topic, string docKey, long docVersion, ReadOnlyMemory<byte>? payload) => new(topic, docKey, docVersion, payload, HashOf(payload));

    /// <summary>The hash a payload has.</summary>
    public static string HashOf(ReadOnlyMemory<byte>? payload) => Convert.ToHexStringLower(SHA256.HashData((payload ?? ReadOnlyMemory<byte>.Empty).Span));

    /// <summary>True when the payload is the one that was hashed.</summary>
    public bool IsIntact => HashOf(Payload) == PayloadHash;

    /// <inheritdoc/>
    public bool Equals(FeedDocument? other) => other is not null
        && Topic == other.Topic && DocKey == other.DocKey && DocVersion == other.DocVersion && PayloadHash == other.PayloadHash
        && Payload.HasValue == other.Payload.HasValue && Payload.GetValueOrDefault().Span.SequenceEqual(other.Payload.GetValueOrDefault().Span);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Topic, DocKey, DocVersion, PayloadHash);
}

/// <summary>A document with its place in its topic.</summary>
public sealed record FeedEntry(long Watermark, FeedDocument Document);

/// <summary>Some of a topic, in order, and where the topic stood when it was read: <see cref="Head"/> may be beyond the last entry.</summary>
public sealed record FeedPage(IReadOnlyList<FeedEntry> Entries, long Head);

/// <summary>The last watermark of a topic, and the last that has been purged: what follows the floor can be read.</summary>
public sealed record FeedTopic(long Head, long Floor);
