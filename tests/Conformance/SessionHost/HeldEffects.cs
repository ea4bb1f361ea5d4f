using System.Collections.Concurrent;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>Effects that come to their end when a test lets them, or are given up; those of other kinds end at once.</summary>
internal sealed class HeldEffects(Type held) : ISessionEffectRunner
{
    private readonly TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Every effect that was begun.</summary>
    public ConcurrentQueue<SessionEffect> Begun { get; } = new();

    /// <summary>Completes when one is held.</summary>
    public Task Held => begun.Task;

    /// <summary>What to do when one is given up.</summary>
    public Func<Task> WhenGivenUp { get; set; } = () => Task.CompletedTask;

    public bool CanRun(SessionEffect effect) => true;

    public void Release() => released.TrySetResult();

    public async ValueTask<EffectOutcome> RunAsync(SessionKey key, SessionEffect effect, CancellationToken cancellationToken)
    {
        Begun.Enqueue(effect);
        if (effect.GetType() == held) await HoldAsync(cancellationToken);
        return effect is SessionEffect.CreateSandbox create
            ? new EffectOutcome.SandboxCreated(new SandboxHandle("held", create.Sandbox.ToString(), null))
            : new EffectOutcome.Succeeded();
    }

    private async Task HoldAsync(CancellationToken cancellationToken)
    {
        begun.TrySetResult();
        try
        {
            await released.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await WhenGivenUp();
            throw;
        }
    }
}
