using System.Globalization;
using System.Net.Http.Headers;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess.Cluster;

/// <summary>Why a host does not do what a request asks of it that claims to come from a peer.</summary>
internal enum PeerRefusal
{
    /// <summary>It bears no signature.</summary>
    Unsigned,

    /// <summary>It was signed for a host that this process is not, or not any more: who asked looks anew.</summary>
    Elsewhere,

    /// <summary>Its body is larger than a peer's is, or did not come in time.</summary>
    Unsaid,

    /// <summary>Its signature is not one under this host's first master key.</summary>
    Signature,

    /// <summary>It was signed under this host's key, at a time that is further from its clock than hosts may be apart.</summary>
    Time,

    /// <summary>It was signed under this host's key, and came before.</summary>
    Repeated,
}

/// <summary>
/// How a refusal is told. Who asked hears of two kinds that only an operator ends; of the clock hears nobody but who has the key. Every other
/// refusal looks like that of a host which lives under another id by now. It is not signed, since the two may have no key in common: whoever
/// asked believes no more of it than that it was not answered.
/// </summary>
internal static class PeerRefusals
{
    /// <summary>The header of an answer 401 that says why; over a socket it is why it is closed.</summary>
    public const string Header = "Coordinator-Refused";

    /// <summary>What whoever asked is told of it; null: nothing.</summary>
    public static string? Word(this PeerRefusal refusal) => refusal switch
    {
        PeerRefusal.Signature => "signature",
        PeerRefusal.Time => "time",
        _ => null,
    };

    /// <summary>What the log of who refuses says of it.</summary>
    public static PortException ToPort(this PeerRefusal refusal) => new(PortFailureKind.Unauthorized, refusal switch
    {
        PeerRefusal.Unsigned => "It bears no signature.",
        PeerRefusal.Unsaid => "Its body is too large, or did not come in time.",
        PeerRefusal.Signature => "Its signature is not one under the first master key of this host.",
        PeerRefusal.Time => "It was signed more than five minutes from this host's clock.",
        PeerRefusal.Repeated => "It came before.",
        _ => "It was signed for another host.",
    });

    /// <summary>What an answer 401 of a peer says; null: that it lives under another id by now.</summary>
    public static PeerRefusedException? Read(HostLocation peer, HttpResponseHeaders headers, DateTimeOffset now) =>
        headers.TryGetValues(Header, out var words) ? Read(peer, words.First(), headers.Date - now) : null;

    /// <param name="ahead">How far the peer's clock is ahead of this host's, where it said so.</param>
    public static PeerRefusedException? Read(HostLocation peer, string? word, TimeSpan? ahead) => word switch
    {
        "signature" => new(peer, "the two do not have the same first master key (Vault:KeyFile or Vault:MasterKey)"),
        "time" => new(peer, $"{Apart(ahead)}. Set the one that is wrong"),
        _ => null,
    };

    /// <summary>In whole minutes, so that what lasts is said in the same words.</summary>
    private static string Apart(TimeSpan? ahead) => ahead is not { } by
        ? "the clocks of the two are more than five minutes apart"
        : string.Create(CultureInfo.InvariantCulture, $"its clock is {by.Duration().TotalMinutes:F0} minutes {(by > TimeSpan.Zero ? "ahead of" : "behind")} this one's");
}

/// <summary>A host does not believe what this one signs, and nothing was done; it stays so until somebody mends it.</summary>
internal sealed class PeerRefusedException(HostLocation peer, string why) : Exception($"Host {peer.Id} at {peer.Address} refuses what this host signs: {why}.")
{
    public PortException ToPort() => new(PortFailureKind.Unavailable, Message, retryAfter: TimeSpan.FromSeconds(5), inner: this);
}
