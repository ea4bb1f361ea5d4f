namespace Coordinator.Modules.Sessions.State;

/// <summary>
/// How much a fold remembers. Part of the journal's format like the names of facts, and no setting: the same records fold to
/// the same state on every host, of every deployment, for ever. What must differ between deployments is decided before it is
/// written, and stands in a record.
/// </summary>
public static class FoldFormat
{
    /// <summary>Ended messages that a session remembers in its view.</summary>
    public const int RememberedMessages = 20;

    /// <summary>Returns of this side that are remembered, which is how often a wait for others can begin anew.</summary>
    public const int Graces = 3;

    /// <summary>
    /// Model calls whose usage was recorded last, which a session knows again. Whoever was not told of his record asks again within a second of finding
    /// that out, and a box has few calls under way at once: what comes between is a fraction of this.
    /// </summary>
    public const int RecordedCalls = 128;

    /// <summary>How long the idempotency key of a prompt, of what stopped it, or of an answer, is remembered.</summary>
    public static readonly TimeSpan RequestMemory = TimeSpan.FromHours(24);
}
