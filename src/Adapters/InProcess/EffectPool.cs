using System.Collections.Concurrent;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.InProcess;

/// <summary>
/// Runs the slow work of all sessions outside their turns, and owns every task it starts. Of each kind only so much runs at
/// once, first come first served, so that a thousand sessions that wake together do not make a thousand boxes at once; and
/// of each kind by itself, so that creates that take long keep no destroy, look or flush waiting. A host that stops closes
/// it first, so that what is under way comes to its end and nothing else is begun.
/// </summary>
internal sealed partial class EffectPool(IEnumerable<ISessionEffectRunner> runners, TimeSpan timeout, int atOnce, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<Type, SemaphoreSlim> places = new();
    private readonly ISessionEffectRunner[] runners = [.. runners];
    private readonly Lock gate = new();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource closing = new();
    private readonly CancellationTokenSource stopping = new();
    private bool closed;
    private int underWay;
    private int disposed;

    /// <summary>
    /// Starts an effect; <paramref name="settled"/> hears its outcome, whatever it is, or null when the host's end came first
    /// and it is for the next one to ask again. False, and nothing is started, once the pool is closed.
    /// </summary>
    public bool Start(SessionKey key, string effectKey, SessionEffect effect, Func<EffectOutcome?, Task> settled)
    {
        lock (gate)
        {
            if (closed) return false;
            underWay++;
        }

        Task.Run(() => RunAsync(key, effectKey, effect, settled));
        return true;
    }

    /// <summary>Begins nothing from here on: neither what is started later nor what still waits for its place.</summary>
    public Task CloseAsync()
    {
        lock (gate)
        {
            closed = true;
            if (underWay == 0) ended.TrySetResult();
        }

        return closing.CancelAsync();
    }

    /// <summary>Completes when nothing is under way, of a pool that is closed.</summary>
    public Task SettleAsync() => ended.Task;

    /// <summary>Cancels what runs and waits for it to end.</summary>
    public async Task StopAsync()
    {
        await CloseAsync();
        await stopping.CancelAsync();
        await SettleAsync();
    }

    /// <summary>
    /// Idempotent: a container that knows its owner under two types disposes it twice. The sources, which hold nothing once they
    /// are cancelled, are left: a host that is told to stop in the moment in which it has lost its registration closes what has ended.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0) return;
        await StopAsync();
        foreach (var kind in places.Values) kind.Dispose();
    }

    private async Task RunAsync(SessionKey key, string effectKey, SessionEffect effect, Func<EffectOutcome?, Task> settled)
    {
        try
        {
            await settled(await UnlessStoppedAsync(key, effectKey, effect));
        }
        catch (Exception failure)
        {
            EffectUnsettled(failure, effectKey, key);
        }
        finally
        {
            lock (gate)
                if (--underWay == 0 && closed) ended.TrySetResult();
        }
    }

    /// <summary>Its outcome; null when the host's end came before it. A failure at that moment says nothing of the work.</summary>
    private async Task<EffectOutcome?> UnlessStoppedAsync(SessionKey key, string effectKey, SessionEffect effect)
    {
        try
        {
            var outcome = await InItsTurnAsync(key, effectKey, effect);
            if (outcome is not EffectOutcome.Failed || !stopping.IsCancellationRequested) return outcome;
        }
        catch (OperationCanceledException) when (closing.IsCancellationRequested)
        {
            // Said below.
        }
        catch (Exception failure)
        {
            EffectUnsettled(failure, effectKey, key);
            return null;
        }

        EffectAbandoned(effectKey, key);
        return null;
    }

    /// <summary>Waits for a place; the work's own time begins when it has one.</summary>
    private async Task<EffectOutcome> InItsTurnAsync(SessionKey key, string effectKey, SessionEffect effect)
    {
        closing.Token.ThrowIfCancellationRequested();
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
        using var either = CancellationTokenSource.CreateLinkedTokenSource(closing.Token, limit.Token);
        try
        {
            await kind.WaitAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !closing.IsCancellationRequested)
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
