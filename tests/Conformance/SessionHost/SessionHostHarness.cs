using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>A host under test, with the real session core behind it and boxes that come to be at once.</summary>
public abstract class SessionHostHarness : IAsyncDisposable
{
    public abstract ISessionHost Host { get; }

    public RecordingEffects Effects { get; } = new();

    public abstract ValueTask DisposeAsync();
}

/// <summary>Answers every effect at once, and remembers it.</summary>
public sealed class RecordingEffects : ISessionEffectRunner
{
    public ConcurrentQueue<SessionEffect> Ran { get; } = new();

    public bool CanRun(SessionEffect effect) => true;

    public ValueTask<EffectOutcome> RunAsync(SessionKey key, SessionEffect effect, CancellationToken cancellationToken)
    {
        Ran.Enqueue(effect);
        return new(effect is SessionEffect.CreateSandbox create
            ? new EffectOutcome.SandboxCreated(new SandboxHandle("recording", create.Sandbox.ToString(), null))
            : new EffectOutcome.Succeeded());
    }
}

/// <summary>Tokens that are hashes of what they stand for.</summary>
public sealed class PlainTokens : IBoxTokenScheme
{
    public string TokenFor(SessionKey key, SandboxId sandbox, int generation) => $"sb_{key.Organization}.{key.Session}.{sandbox}.{generation}.secret";

    public byte[] HashFor(SessionKey key, SandboxId sandbox, int generation) => SHA256.HashData(Encoding.UTF8.GetBytes(TokenFor(key, sandbox, generation)));
}

/// <summary>A box's end of the bridge: keeps what it was sent, and lets a test wait for it.</summary>
public sealed class RecordingSink : IBridgeSink
{
    private readonly System.Threading.Channels.Channel<HostFrame> frames = System.Threading.Channels.Channel.CreateUnbounded<HostFrame>();

    public TaskCompletionSource<LinkCloseReason> Closed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Send(HostFrame frame) => frames.Writer.TryWrite(frame);

    public void Close(LinkCloseReason reason, string detail) => Closed.TrySetResult(reason);

    /// <summary>The next frame of this kind; others are passed over.</summary>
    public async Task<TFrame> NextAsync<TFrame>()
        where TFrame : HostFrame
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (true)
            if (await frames.Reader.ReadAsync(limit.Token) is TFrame frame) return frame;
    }
}
