using System.Text.Json;
using Coordinator.Fakes;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Sessions;
using Coordinator.Modules.Sessions.Actor;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Tests.Modules.Models;

/// <summary>What becomes of one attempt to reach a session.</summary>
internal enum Fate
{
    Answered,

    /// <summary>It never came there, and whoever asked knows it.</summary>
    Refused,

    /// <summary>It never came there, and whoever asked cannot know.</summary>
    LostBefore,

    /// <summary>It was done, and whoever asked cannot know.</summary>
    LostAfter,

    /// <summary>It is refused for what it is.</summary>
    Rejected,

    /// <summary>Nothing is heard until the host is heard of again; then it is answered.</summary>
    Hung,

    /// <summary>The same, and what was hung is lost then.</summary>
    HungAndLost,
}

/// <summary>A real session with a box, behind a host of whose answers a test says what becomes.</summary>
internal sealed class UnsureSession : ISessionHost, IDisposable
{
    private static readonly Principal Ada = new(PrincipalKind.User, "usr_ada", "Ada");

    private readonly WantedBox.Scheme tokens = new();
    private readonly InMemorySessionHost inner;
    private readonly Queue<Fate> fates = new();
    private readonly TaskCompletionSource heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SessionKey key = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
    private int attempts;

    private UnsureSession(TimeProvider time) => inner = new(new SessionMachineFactory(SessionLimits.Default, tokens), [], time);

    public AuthorizedBox Box { get; private set; } = null!;

    /// <summary>What becomes of an attempt of which nothing else was said.</summary>
    public Fate Rest { get; set; } = Fate.Answered;

    /// <summary>How often it was asked to record.</summary>
    public int Attempts => Volatile.Read(ref attempts);

    public static async Task<UnsureSession> CreateAsync(TimeProvider time)
    {
        var session = new UnsureSession(time);
        var settings = new SessionSettings("acme/fast", "opencode", null, PermissionMode.Auto);
        await session.inner.CallAsync(session.key, new SessionCommand.Create(Ada, settings, "A session"), default);
        await session.inner.CallAsync(session.key, new SessionCommand.Prompt(Ada, MessageId.New(time), null, "Hello", null, null), default);
        var sandbox = SandboxId.TryParse((await session.ViewAsync()).GetProperty("sandbox").GetProperty("id").GetString(), out var id) ? id : throw new InvalidOperationException("It wants no box.");
        session.Box = new(session.key, new(sandbox, 1, session.tokens.HashFor(session.key, sandbox, 1)), settings, null);
        return session;
    }

    /// <summary>What becomes of the next attempts.</summary>
    public UnsureSession Then(params Fate[] next)
    {
        foreach (var fate in next) fates.Enqueue(fate);
        return this;
    }

    /// <summary>The host that hung is heard of again, or found dead.</summary>
    public void Hear() => heard.SetResult();

    /// <summary>The input tokens that stand in the session.</summary>
    public async Task<long> RecordedAsync() => (await ViewAsync()).GetProperty("usage").GetProperty("inputTokens").GetInt64();

    public async ValueTask<Result<SessionReply>> CallAsync(SessionKey asked, SessionCommand command, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref attempts);
        var fate = fates.TryDequeue(out var next) ? next : Rest;
        if (fate is Fate.Hung or Fate.HungAndLost) await heard.Task.WaitAsync(cancellationToken);
        if (fate == Fate.Refused) throw new PortException(PortFailureKind.Unavailable, "It cannot be reached.");
        if (fate == Fate.Rejected) throw new PortException(PortFailureKind.Rejected, "It is not taken.");
        if (fate is Fate.LostBefore or Fate.HungAndLost) throw Lost();
        var answer = await inner.CallAsync(asked, command, cancellationToken);
        return fate == Fate.LostAfter ? throw Lost() : answer;
    }

    public ValueTask<Result<ISessionSubscription>> SubscribeAsync(SessionKey asked, SessionCursor? after, CancellationToken cancellationToken) => inner.SubscribeAsync(asked, after, cancellationToken);

    public ValueTask<Result<IBridgeLink>> AttachBridgeAsync(SessionKey asked, BoxCredential credential, BridgeHello hello, IBridgeSink sink, CancellationToken cancellationToken) => inner.AttachBridgeAsync(asked, credential, hello, sink, cancellationToken);

    public ISessionHold? TryHold(SessionKey asked) => inner.TryHold(asked);

    public ValueTask DrainAsync(CancellationToken cancellationToken) => inner.DrainAsync(cancellationToken);

    public void Dispose() => inner.Dispose();

    private static PortException Lost() => new(PortFailureKind.Unavailable, "The answer was lost.", effectMayHaveHappened: true);

    private async Task<JsonElement> ViewAsync() => JsonDocument.Parse(((SessionReply.View)(await inner.CallAsync(key, new SessionCommand.GetView(), default)).Value).Session.Json).RootElement;
}
