using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.LocalIdentity;

/// <summary>
/// Box tokens whose secret is an HMAC over what the token says, under a key derived from the master key. Replacing the
/// master key therefore ends the tokens of boxes alive at that moment.
/// </summary>
internal sealed class HmacBoxTokenScheme(ITokenSigner signer) : IBoxTokenScheme
{
    private const string Purpose = "box-token/v1";

    public string TokenFor(SessionKey key, SandboxId sandbox, int generation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(generation);
        var subject = string.Create(CultureInfo.InvariantCulture, $"{key.Organization}.{key.Session}.{sandbox}.{generation}");
        var secret = signer.Sign(Purpose, Encoding.ASCII.GetBytes(subject));
        return $"{BoxToken.Prefix}{subject}.{Base64Url.EncodeToString(secret)}";
    }

    public byte[] HashFor(SessionKey key, SandboxId sandbox, int generation) =>
        SHA256.HashData(Encoding.ASCII.GetBytes(TokenFor(key, sandbox, generation)));
}
