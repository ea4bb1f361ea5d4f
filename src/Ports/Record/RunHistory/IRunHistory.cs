using Coordinator.Ports.Session;

namespace Coordinator.Ports.Record;

/// <summary>
/// The attributed history of finished runs: one per message that was dispatched and has ended. Each session's runs form
/// a chain: every entry holds the hash of the one before it.
/// </summary>
[Port(Plane.Record)]
public interface IRunHistory
{
    /// <summary>
    /// Writes a run. Idempotent by <see cref="RunRecord.Id"/>: a second flush of the same run changes nothing. Runs of
    /// one session are to be given in order of <see cref="RunRecord.Ordinal"/>; the chain is in the order they came, so
    /// one that comes late is kept and not lost. Times are kept to the microsecond.
    /// </summary>
    /// <exception cref="PortException">
    /// <see cref="PortFailureKind.Rejected"/>: another run of this session has the same ordinal, or a text is against <see cref="RunTexts"/>.
    /// </exception>
    ValueTask FlushAsync(RunRecord run, CancellationToken cancellationToken);

    /// <summary>
    /// An organization's runs, the last to end first, of one session when given, at most <paramref name="limit"/>, that
    /// come after <paramref name="before"/> in that order. Empty when <paramref name="before"/> is not a run of the list.
    /// </summary>
    ValueTask<IReadOnlyList<StoredRun>> ListAsync(OrganizationId organization, SessionId? session, RunId? before, int limit, CancellationToken cancellationToken);

    /// <summary>One run; null when the organization has none of that id.</summary>
    ValueTask<StoredRun?> FindAsync(OrganizationId organization, RunId run, CancellationToken cancellationToken);

    /// <summary>
    /// Checks the whole chain of a session by the rule of <see cref="RunChain"/>; returns the first run that does not
    /// verify, or null.
    /// </summary>
    ValueTask<RunId?> VerifyChainAsync(OrganizationId organization, SessionId session, CancellationToken cancellationToken);
}

/// <summary>
/// One finished run. <see cref="FirstSeq"/>..<see cref="LastSeq"/> is its range of public events, <see cref="EventsDigest"/>
/// the SHA-256 (hex, behind which way it was made) over them as the session computed it. <see cref="Outcome"/> is completed, failed or cancelled.
/// </summary>
public sealed record RunRecord(
    RunId Id,
    OrganizationId Organization,
    SessionId Session,
    MessageId Message,
    int Ordinal,
    Principal RequestedBy,
    string Model,
    string Agent,
    SandboxId Sandbox,
    int Generation,
    string SandboxProvider,
    string Outcome,
    string? FailureCode,
    ModelUsage Usage,
    DateTimeOffset QueuedAt,
    DateTimeOffset StartedAt,
    DateTimeOffset EndedAt,
    long FirstSeq,
    long LastSeq,
    string EventsDigest)
{
    /// <summary>
    /// How a digest begins that is the same over events as they were written and over their merged form. Without it, as releases before
    /// wrote them, it is over each envelope as it was written.
    /// </summary>
    public const string MergedDigest = "v2:";

    /// <summary>Whether the run's digest still verifies once its events are merged.</summary>
    public bool MayBeMerged() => EventsDigest.StartsWith(MergedDigest, StringComparison.Ordinal);
}

/// <summary>A run with its place in the chain: <see cref="Hash"/> covers the run and <see cref="PreviousHash"/>.</summary>
public sealed record StoredRun(RunRecord Run, string PreviousHash, string Hash);
