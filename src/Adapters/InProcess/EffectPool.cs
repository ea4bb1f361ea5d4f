using System.Collections.Concurrent;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.InProcess;

/// <summary>Runs the slow work of all sessions outside their turns, and owns every task it starts.</summary>
internal sealed partial class EffectPool(IEnumerable<ISessionEffectRunner> runners, TimeSpan timeout, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly ISessionEffectRunner[] runners = [.. runners];
    private readonly ConcurrentDictionary<Task, byte> running = new();
    private readonly CancellationTokenSource stopping = new();
    private int disposed;

    /// <summary>Starts an effect; <paramref name="settled"/> hears its outcome, whatever it is, unless the host stops first.</summary>
    public void Start(SessionKey key, string effectKey, SessionEffect effect, Func<EffectOutcome, Task> settled)
    {
        var task = Task.Run(() => RunAsync(key, effectKey, effect, settled));
        running.TryAdd(task, 0);
        task.ContinueWith(t => running.TryRemove(t, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        if (task.IsCompleted) running.TryRemove(task, out _);
    }

    /// <summary>Cancels what runs and waits for it to end.</summary>
    public async Task StopAsync()
    {
        await stopping.CancelAsync();
        await Task.WhenAll(running.Keys);
    }

    /// <summary>Idempotent: a container that knows its owner under two types disposes it twice.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0) return;
        await StopAsync();
        stopping.Dispose();
    }

    private async Task RunAsync(SessionKey key, string effectKey, SessionEffect effect, Func<EffectOutcome, Task> settled)
    {
        try
        {
            await settled(await OutcomeAsync(key, effectKey, effect));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            EffectAbandoned(effectKey, key);
        }
        catch (Exception failure)
        {
            EffectUnsettled(failure, effectKey, key);
        }
    }

    private async Task<EffectOutcome> OutcomeAsync(SessionKey key, string effectKey, SessionEffect effect)
    {
        var runner = Array.Find(runners, r => r.CanRun(effect))
            ?? throw new InvalidOperationException($"No runner is registered for {effect.GetType().Name}.");
        using var limit = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token, limit.Token);
        try
        {
            return await runner.RunAsync(key, effect, either.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            EffectTimedOut(effectKey, key);
            return new EffectOutcome.Failed(new("effect_timeout", "The work took too long and was given up.", ProblemKind.Unavailable), Retryable: true);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            EffectFailed(failure, effectKey, key);
            return new EffectOutcome.Failed(new("effect_failed", "The work failed unexpectedly; the host's log says why.", ProblemKind.Unavailable), Retryable: true);
        }
    }
}
