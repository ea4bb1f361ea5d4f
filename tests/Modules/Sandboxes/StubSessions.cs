using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;

namespace Coordinator.Tests.Modules.Sandboxes;

/// <summary>Sessions that answer what a test says, and count who asked.</summary>
internal sealed class StubSessions : ISessionHost
{
    public static readonly Problem NotWanted = new("box_not_wanted", "…", ProblemKind.Gone);
    public static readonly Problem NotFound = new("session_not_found", "…", ProblemKind.NotFound);

    public SessionSettings Settings { get; set; } = new("demo/scripted", "opencode", null, PermissionMode.Auto);

    /// <summary>Null: the box is wanted.</summary>
    public Func<BoxCredential, Problem?> Refuse { get; set; } = _ => null;

    /// <summary>The box as the session knows it; null: it has not heard of it yet.</summary>
    public SandboxHandle? Handle { get; set; }

    public string Status { get; set; } = "active";

    public bool IsDown { get; set; }

    public int Asked { get; private set; }

    /// <summary>How often a session was asked to decide, which may write a record.</summary>
    public int Decided { get; private set; }

    /// <summary>No session is there to be looked at.</summary>
    public bool IsGone { get; set; }

    public ValueTask<Result<SessionReply>> CallAsync(SessionKey key, SessionCommand command, CancellationToken cancellationToken)
    {
        Asked++;
        if (command is SessionCommand.AuthorizeBox) Decided++;
        if (IsDown) throw new PortException(PortFailureKind.Unavailable, "down");
        if (IsGone) return new(NotFound);
        return command switch
        {
            SessionCommand.AuthorizeBox ask => new(Refuse(ask.Credential) is { } problem ? problem : new SessionReply.BoxAuthorized(Settings, null, Handle)),
            SessionCommand.GetView => new(new SessionReply.View(new(new(1, 1), JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["status"] = Status })))),
            _ => throw new NotSupportedException(),
        };
    }

    public ValueTask<Result<ISessionSubscription>> SubscribeAsync(SessionKey key, SessionCursor? after, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<Result<IBridgeLink>> AttachBridgeAsync(SessionKey key, BoxCredential credential, BridgeHello hello, IBridgeSink sink, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ISessionHold? TryHold(SessionKey key) => throw new NotSupportedException();

    public ValueTask DrainAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
}

/// <summary>Tokens whose secret is a word; the form is the real one.</summary>
internal sealed class StubTokens : IBoxTokenScheme
{
    public string TokenFor(SessionKey key, SandboxId sandbox, int generation) => $"sb_{key.Organization}.{key.Session}.{sandbox}.{generation}.word";

    public byte[] HashFor(SessionKey key, SandboxId sandbox, int generation) =>
        System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(TokenFor(key, sandbox, generation)));
}
