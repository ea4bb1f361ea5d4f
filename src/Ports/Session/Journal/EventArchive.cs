namespace Coordinator.Ports.Session;

/// <summary>
/// Some events of a session, from <see cref="FirstSeq"/> to <see cref="LastSeq"/>, that stand in a blob of their organization's artifacts
/// and no longer in records. <see cref="Size"/> is the blob's, <see cref="RawSize"/> that of what is packed in it.
/// </summary>
public sealed record EventArchive(SessionKey Key, long FirstSeq, long LastSeq, short Format, string Sha256, long Size, long RawSize)
{
    /// <summary>JSON Lines, packed with gzip: what <see cref="ArchiveWriter"/> of this release writes.</summary>
    public const short JsonLines = 1;

    /// <summary>What it is before the journal has noted it.</summary>
    public PendingArchive Pending => new(Key, Sha256);
}

/// <summary>A blob of a session's organization that is about to be stored, or was, and that no archive names yet.</summary>
public sealed record PendingArchive(SessionKey Key, string Sha256);
