using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.LocalIdentity;

/// <summary>
/// Box tokens whose secret is an HMAC over what the token says, under a key derived from the master key. A token is made under
/// the present one, and is known again under those that it replaced, so that a rotation ends no box: only a key that is taken
/// away or lost does.
/// </summary>
internal sealed class HmacBoxTokenScheme(HkdfTokenSigner signer) : IBoxTokenScheme
{
    private const string Purpose = "box-token/v1";

    public string TokenFor(SessionKey key, SandboxId sandbox, int generation)
    {
        var subject = SubjectOf(key, sandbox, generation);
        return TextOf(subject, signer.Sign(Purpose, Encoding.ASCII.GetBytes(subject)));
    }

    public byte[] HashFor(SessionKey key, SandboxId sandbox, int generation) => HashOf(TokenFor(key, sandbox, generation));

    public bool IsHashFor(SessionKey key, SandboxId sandbox, int generation, ReadOnlySpan<byte> hash)
    {
        // Each is compared, so that the time it takes does not tell which key it was.
        var isOne = false;
        foreach (var token in TokensFor(key, sandbox, generation)) isOne |= CryptographicOperations.FixedTimeEquals(HashOf(token), hash);
        return isOne;
    }

    public string TokenFor(SessionKey key, SandboxId sandbox, int generation, ReadOnlySpan<byte> hash)
    {
        foreach (var token in TokensFor(key, sandbox, generation))
            if (CryptographicOperations.FixedTimeEquals(HashOf(token), hash)) return token;
        return TokenFor(key, sandbox, generation);
    }

    private IEnumerable<string> TokensFor(SessionKey key, SandboxId sandbox, int generation)
    {
        var subject = SubjectOf(key, sandbox, generation);
        return signer.SignUnderEach(Purpose, Encoding.ASCII.GetBytes(subject)).Select(secret => TextOf(subject, secret));
    }

    private static string SubjectOf(SessionKey key, SandboxId sandbox, int generation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(generation);
        return string.Create(CultureInfo.InvariantCulture, $"{key.Organization}.{key.Session}.{sandbox}.{generation}");
    }

    private static string TextOf(string subject, byte[] secret) => $"{BoxToken.Prefix}{subject}.{Base64Url.EncodeToString(secret)}";

    private static byte[] HashOf(string token) => SHA256.HashData(Encoding.ASCII.GetBytes(token));
}
