using System.Security.Cryptography;

namespace Coordinator.Ports.Session;

/// <summary>What a box's token says and proves: which box, which generation, and the SHA-256 of the whole token.</summary>
public sealed record BoxCredential(SandboxId Sandbox, int Generation, ReadOnlyMemory<byte> TokenHash);

/// <summary>
/// Derives the token of a box: the same for the same box and generation on every host that holds the same master key,
/// so that a repeated create hands out the same one. Only hashes are ever stored. Deterministic and free of I/O.
/// </summary>
public interface IBoxTokenScheme
{
    /// <summary><c>sb_{organization}.{session}.{sandbox}.{generation}.{secret}</c></summary>
    string TokenFor(SessionKey key, SandboxId sandbox, int generation);

    /// <summary>SHA-256 of <see cref="TokenFor(SessionKey, SandboxId, int)"/>.</summary>
    byte[] HashFor(SessionKey key, SandboxId sandbox, int generation);

    /// <summary>
    /// True when <paramref name="hash"/> is that of the box's token under the present master key or one that it replaced and this host
    /// still holds. Implementations compare in constant time, whichever key it is.
    /// </summary>
    bool IsHashFor(SessionKey key, SandboxId sandbox, int generation, ReadOnlySpan<byte> hash) =>
        CryptographicOperations.FixedTimeEquals(HashFor(key, sandbox, generation), hash);

    /// <summary>The box's token that has this hash, so that a create which is repeated after a rotation hands out the same one; where no key held here makes it, that under the present key.</summary>
    string TokenFor(SessionKey key, SandboxId sandbox, int generation, ReadOnlySpan<byte> hash) => TokenFor(key, sandbox, generation);
}

/// <summary>
/// The first frame of a box (docs/protocol.md, Bridge): who it is, and what it knows. <paramref name="RenewedFrom"/>: the spool that it left because the control plane
/// lacked what it had acknowledged of it. Its record of messages is whole all the same: it answers from that what became of any that it is asked for again.
/// </summary>
public sealed record BridgeHello(
    int MinProtocol,
    int MaxProtocol,
    SandboxId Sandbox,
    int Generation,
    string SpoolId,
    IReadOnlyList<KnownMessage> Messages,
    IReadOnlyList<PermissionId> OpenPermissions,
    string? RenewedFrom = null);

/// <summary>What a box knows of a message that was sent to it.</summary>
public sealed record KnownMessage(MessageId Id, KnownMessageState State);

/// <summary>How far a box is with a message.</summary>
public enum KnownMessageState
{
    /// <summary>Written down, and running or about to.</summary>
    Accepted,
    /// <summary>Ended; its <c>message.ended</c> event is in the spool or was acknowledged.</summary>
    Ended,
    /// <summary>Accepted before a crash of the box's program; what the agent did is not known. Terminal.</summary>
    Unknown,
}

/// <summary>A frame from the box after hello.</summary>
public abstract record BoxFrame
{
    private BoxFrame()
    {
    }

    /// <summary>
    /// One numbered event. <paramref name="Data"/> is a JSON object in UTF-8, at most 64 KiB, whose bytes go to the
    /// journal and to clients as they are, but for what is no Unicode: an escaped half of a surrogate pair becomes U+FFFD.
    /// </summary>
    public sealed record Event(long N, string Kind, MessageId? Message, ReadOnlyMemory<byte> Data) : BoxFrame;

    /// <summary>Whether a request of the host was taken; <paramref name="Error"/> says why not.</summary>
    public sealed record Reply(string Id, bool Ok, string? Error) : BoxFrame;

    /// <summary>The box lives: whether a turn runs, and how many bytes of memory and disk it uses.</summary>
    public sealed record Heartbeat(bool Busy, long RssBytes, long DiskBytes) : BoxFrame;
}

/// <summary>A frame to the box.</summary>
public abstract record HostFrame
{
    private HostFrame()
    {
    }

    /// <summary>Answers hello: events above <paramref name="AckedN"/> of this spool are wanted. The endpoint adds the box's configuration.</summary>
    public sealed record Welcome(int Incarnation, string SpoolId, long AckedN, BridgeWindow Window, SessionSettings Settings) : HostFrame;

    /// <summary>Everything up to <paramref name="N"/> is durable.</summary>
    public sealed record Ack(long N, BridgeWindow Window) : HostFrame;

    /// <summary>
    /// Run a message. <paramref name="SeedHistory"/>: the agent's store is new, tell it the conversation before this message.
    /// </summary>
    public sealed record Prompt(string RequestId, MessageId Message, string Text, string Model, string Agent, bool SeedHistory) : HostFrame;

    /// <summary>Stop this message's turn.</summary>
    public sealed record Cancel(string RequestId, MessageId Message) : HostFrame;

    /// <summary>What became of a question; sent again until the box confirms it.</summary>
    public sealed record Permission(string RequestId, PermissionId Id, PermissionDecision Decision, string? Note) : HostFrame;

    /// <summary>End the agent and the box's program, what is written being safe.</summary>
    public sealed record Shutdown(string RequestId, string Reason) : HostFrame;
}

/// <summary>How many events and bytes beyond the last acknowledged a box may have under way.</summary>
public sealed record BridgeWindow(int Events, int Bytes)
{
    /// <summary>2,000 events, 4 MiB.</summary>
    public static BridgeWindow Default { get; } = new(2_000, 4 * 1024 * 1024);
}
