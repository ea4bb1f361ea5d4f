using System.Collections.Concurrent;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.InProcess;

/// <summary>
/// Runs the slow work of all sessions outside their turns, and owns every task it starts. Of each kind only so much runs at
/// once, first come first served, so that a thousand sessions that wake together do not make a thousand boxes at once; and
/// of each kind by itself, so that creates that take long keep no destroy, look or flush waiting.
/// </summary>
internal sealed partial class EffectPool(IEnumerable<ISessionEffectRunner> runners, TimeSpan timeout, int atOnce, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<Type, SemaphoreSlim> places = new();
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
        foreach (var kind in places.Values) kind.Dispose();
    }

    private async Task RunAsync(SessionKey key, string effectKey, SessionEffect effect, Func<EffectOutcome, Task> settled)
    {
        try
        {
            await settled(await InItsTurnAsync(key, effectKey, effect));
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

    /// <summary>Waits for a place; the work's own time begins when it has one.</summary>
    private async Task<EffectOutcome> InItsTurnAsync(SessionKey key, string effectKey, SessionEffect effect)
    {
        var kind = places.GetOrAdd(effect.GetType(), static (_, most) => new(most, most), atOnce);
        if (!await HasPlaceAsync(kind))
        {
            EffectNotBegun(effectKey, key, atOnce);
            return new EffectOutcome.Failed(new("effect_not_begun", "This host had so much of such work under way that it did not come to this in time.", ProblemKind.Unavailable), Retryable: true);
        }

        try
        {
            return await OutcomeAsync(key, effectKey, effect);
        }
        finally
        {
            kind.Release();
        }
    }

    /// <summary>False when none came free for as long as one piece of work may take.</summary>
    private async Task<bool> HasPlaceAsync(SemaphoreSlim kind)
    {
        if (kind.Wait(0)) return true;
        using var limit = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token, limit.Token);
        try
        {
            await kind.WaitAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !stopping.IsCancellationRequested)
        {
            return false;
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
