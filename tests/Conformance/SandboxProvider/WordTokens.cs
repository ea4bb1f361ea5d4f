using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>Tokens whose secret is a word.</summary>
internal sealed class WordTokens : IBoxTokenScheme
{
    public string TokenFor(SessionKey key, SandboxId sandbox, int generation) => $"sb_{key.Organization}.{key.Session}.{sandbox}.{generation}.word";

    public byte[] HashFor(SessionKey key, SandboxId sandbox, int generation) => SHA256.HashData(Encoding.UTF8.GetBytes(TokenFor(key, sandbox, generation)));
}
