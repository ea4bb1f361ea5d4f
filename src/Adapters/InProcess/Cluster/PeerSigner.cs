using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Compute.DataPlane;
using Coordinator.Ports.Identity;

namespace Coordinator.Adapters.InProcess.Cluster;

/// <summary>
/// How hosts prove to each other that they hold the same master key. Every host's id has a key of its own, so that what
/// was said to one host, or to an earlier life of it, is worth nothing elsewhere; and within its life every request
/// comes once. The answer is signed too, over the request's nonce, so that nobody else can have given it.
/// </summary>
internal sealed class PeerSigner(ITokenSigner signer, TimeProvider time, int mostNonces = 1_000_000)
{
    public const string AnswerHeader = "Coordinator-Answer";
    private const string Purpose = "cluster-peer";

    private readonly PeerNonces seen = new(mostNonces);

    /// <summary>The same at all who hold the master key, and for nothing but to compare.</summary>
    public static string PrintOf(ITokenSigner signer) => Convert.ToHexStringLower(signer.Sign("cluster-key-print", "first"u8).AsSpan(0, 16));

    public RequestSignature Sign(HostId target, SignedRequest request) =>
        RequestSignature.Create(target.ToString(), KeyOf(target), request, time.GetUtcNow(), Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));

    /// <summary>Whether a request names this host in a signature that is yet to be looked at; null: it does.</summary>
    public static PeerRefusal? Address(HostId? self, string? header) =>
        !RequestSignature.TryParse(header, out var claimed) ? PeerRefusal.Unsigned : claimed.KeyId != self?.ToString() ? PeerRefusal.Elsewhere : null;

    /// <summary>Null when the signature covers the request, is fresh and comes for the first time. What is said of its time is so to nobody who cannot sign.</summary>
    public PeerRefusal? Verify(HostId self, string? header, SignedRequest request, out RequestSignature? signature)
    {
        if (!RequestSignature.TryParse(header, out signature)) return PeerRefusal.Unsigned;
        if (signature.KeyId != self.ToString()) return PeerRefusal.Elsewhere;
        if (!signature.Covers(KeyOf(self), request)) return PeerRefusal.Signature;
        var now = time.GetUtcNow();
        if (Math.Abs((decimal)now.ToUnixTimeMilliseconds() - (signature.Timestamp * 1000m)) > (decimal)RequestSignature.AllowedSkew.TotalMilliseconds) return PeerRefusal.Time;
        return seen.IsFirst(signature.Timestamp, signature.Nonce, now) ? null : PeerRefusal.Repeated;
    }

    public string SignAnswer(HostId self, string nonce, ReadOnlySpan<byte> body) => Convert.ToHexStringLower(AnswerMac(self, nonce, body));

    public bool IsAnswerOf(HostId target, string nonce, ReadOnlySpan<byte> body, string? header) =>
        header is { Length: 2 * HMACSHA256.HashSizeInBytes } && header.All(char.IsAsciiHexDigitLower)
        && CryptographicOperations.FixedTimeEquals(Convert.FromHexString(header), AnswerMac(target, nonce, body));

    private byte[] AnswerMac(HostId host, string nonce, ReadOnlySpan<byte> body) =>
        HMACSHA256.HashData(KeyOf(host), Encoding.ASCII.GetBytes($"answer\n{nonce}\n{Convert.ToHexStringLower(SHA256.HashData(body))}"));

    private byte[] KeyOf(HostId host) => signer.Sign(Purpose, Encoding.ASCII.GetBytes(host.ToString()));
}
