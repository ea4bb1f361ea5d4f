using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Listening;

/// <summary>
/// Hears, on one connection for the whole host, whom a channel of the database names. PostgreSQL tells after the commit and
/// never of what was rolled back. What is missed while the connection is away is found by whoever waits: they look by
/// themselves too, and all of them once the connection is back.
/// </summary>
internal abstract partial class WakeUps(NpgsqlDataSource dataSource, string channel, TimeProvider time, ILogger logger) : IAsyncDisposable, IDisposable
{
    /// <summary>Between names of one notification.</summary>
    protected const char Separator = ',';

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, Call> calls = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource stopping = new(); // never disposed: it has no timer, and is asked after the end
    private readonly Lock gate = new();
    private Task? listening;

    /// <summary>Cancelled at the end.</summary>
    protected CancellationToken Stopping => stopping.Token;

    /// <summary>Completes with the next thing that is heard of the name; dispose it when nobody waits for it any more.</summary>
    protected Heard Listen(string name)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(stopping.IsCancellationRequested, this);
            listening ??= Task.Run(() => ListenAsync(stopping.Token));
            var call = calls.GetOrAdd(name, static _ => new());
            call.Waiting++;
            return new(this, name, call);
        }
    }

    /// <summary>Stops listening and waits until it has.</summary>
    public virtual async ValueTask DisposeAsync()
    {
        Dispose();
        if (listening is { } ending) await ending;
    }

    /// <summary>Stops listening, without waiting for it.</summary>
    public void Dispose()
    {
        lock (gate) stopping.Cancel();
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await HearAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure) when (DatabaseFailure.IsOne(failure) || failure is ObjectDisposedException)
            {
                LogDeaf(DatabaseFailure.ToPort(failure, "listening"), channel);
            }

            await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task HearAsync(CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        connection.Notification += (_, told) => WakeAll(told.Payload.Split(Separator));
        await using (var listen = new NpgsqlCommand($"LISTEN {channel}", connection)) await listen.ExecuteNonQueryAsync(cancellationToken);
        WakeAll(calls.Keys); // what was published while nobody listened
        while (true) await connection.WaitAsync(cancellationToken);
    }

    private void WakeAll(IEnumerable<string> names)
    {
        foreach (var name in names) Wake(name);
    }

    private void Wake(string name)
    {
        Call? woken;
        lock (gate) calls.TryRemove(name, out woken);
        woken?.Came.TrySetResult();
    }

    private void Leave(string name, Call call)
    {
        lock (gate)
        {
            if (--call.Waiting == 0) calls.TryRemove(KeyValuePair.Create(name, call));
        }
    }

    /// <summary>Everybody who waits for the same organization, and for the same moment.</summary>
    internal sealed class Call
    {
        public TaskCompletionSource Came { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Waiting { get; set; }
    }

    /// <summary>One who waits.</summary>
    internal sealed class Heard(WakeUps owner, string name, Call call) : IDisposable
    {
        /// <summary>Completes when something is heard.</summary>
        public Task Came => call.Came.Task;

        /// <summary>Until something is heard, or the time is over, whichever is first.</summary>
        public async Task WaitAsync(TimeSpan longest, TimeProvider time, CancellationToken cancellationToken)
        {
            using var over = new CancellationTokenSource(longest, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, over.Token);
            await call.Came.Task.WaitAsync(both.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }

        public void Dispose() => owner.Leave(name, call);
    }
}
