using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Tests.WalkingSkeleton.World;

/// <summary>Box tokens whose secret is a hash of what they name under the test's own key.</summary>
public sealed class TestTokens : IBoxTokenScheme
{
    public string TokenFor(SessionKey key, SandboxId sandbox, int generation) =>
        $"{BoxToken.Prefix}{key.Organization}.{key.Session}.{sandbox}.{generation}.{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"skeleton/{key}/{sandbox}/{generation}")))[..32]}";

    public byte[] HashFor(SessionKey key, SandboxId sandbox, int generation) => SHA256.HashData(Encoding.UTF8.GetBytes(TokenFor(key, sandbox, generation)));
}
