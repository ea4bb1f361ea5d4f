using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;

namespace Coordinator.Tests.Simulation.World;

/// <summary>The ids of a world, each derived from what it names, so that every run of a seed has the same.</summary>
internal static class Names
{
    private static readonly OrganizationId Organization = OrganizationId.From(PrefixedId.Derive("organization", "simulation"));

    private static readonly SessionKey[] Sessions =
        [.. Enumerable.Range(0, 8).Select(i => new SessionKey(Organization, SessionId.From(PrefixedId.Derive("session", Text(i)))))];

    private static readonly HostId[] Hosts = [.. Enumerable.Range(0, 8).Select(i => HostId.From(PrefixedId.Derive("host", Text(i))))];

    private static readonly Principal[] People =
        [.. Enumerable.Range(0, 8).Select(i => new Principal(PrincipalKind.User, $"usr_{i}", $"Person {i}"))];

    public static SessionKey Session(int index) => Sessions[index];

    public static int IndexOf(SessionId session) => Array.FindIndex(Sessions, key => key.Session == session);

    public static HostId Host(int index) => Hosts[index];

    public static Principal Person(int index) => People[index];

    public static SessionSettings Settings { get; } = new("demo/scripted", "opencode", null, PermissionMode.Ask);

    public static AgentModel Model { get; } = new("demo", "scripted", ModelWire.OpenAiChat, 128_000, 8_192);

    public static MessageId Message(int session, int person, int key) => MessageId.From(PrefixedId.Derive("message", Text(session), Text(person), Text(key)));

    public static ModelCallId ModelCall(int session, int person, int number) => ModelCallId.From(PrefixedId.Derive("call", Text(session), Text(person), Text(number)));

    public static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Tokens of boxes, the same on every host.</summary>
internal sealed class BoxTokens : IBoxTokenScheme
{
    private readonly Dictionary<(SessionKey, SandboxId, int), byte[]> hashes = [];

    public string TokenFor(SessionKey key, SandboxId sandbox, int generation) => $"sb_{key.Organization}.{key.Session}.{sandbox}.{generation}.secret";

    public byte[] HashFor(SessionKey key, SandboxId sandbox, int generation)
    {
        if (!hashes.TryGetValue((key, sandbox, generation), out var hash))
            hashes.Add((key, sandbox, generation), hash = SHA256.HashData(Encoding.UTF8.GetBytes(TokenFor(key, sandbox, generation))));
        return hash;
    }
}
