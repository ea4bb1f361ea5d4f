using System.Globalization;
using System.Threading.Channels;
using Coordinator.Adapters.OpenCode.Server;

namespace Coordinator.Adapters.OpenCode.Turns;

/// <summary>
/// Brings everything that happens to a turn into one bounded queue: the events (reopening the stream when it breaks),
/// the process's end, and the watchdog's word. When nobody takes from the queue, nothing is read from the agent. A
/// quiet tool is no hang: only an unanswered health check is.
/// </summary>
internal sealed class TurnFeed : IAsyncDisposable
{
    private const int Capacity = 512;

    private readonly OpenCodeServer server;
    private readonly OpenCodeOptions options;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource stop = new();
    private readonly Channel<TurnInput> inputs = Channel.CreateBounded<TurnInput>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private readonly Lock gate = new();
    private readonly List<Task> owned = [];

    public TurnFeed(OpenCodeServer server, OpenCodeOptions options, TimeProvider time)
    {
        this.server = server;
        this.options = options;
        this.time = time;
        var events = ReadEventsAsync();
        owned.AddRange([events, WatchExitAsync(events), WatchHealthAsync()]);
    }

    public ValueTask<TurnInput> NextAsync(CancellationToken cancellationToken) => inputs.Reader.ReadAsync(cancellationToken);

    /// <summary>Has <paramref name="input"/> come after <paramref name="delay"/>. May be called from anywhere; after the end it does nothing.</summary>
    public void Later(TurnInput input, TimeSpan delay)
    {
        lock (gate)
        {
            if (stop.IsCancellationRequested) return;
            owned.RemoveAll(static task => task.IsCompletedSuccessfully);
            owned.Add(LaterAsync(input, delay));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        List<Task> running;
        lock (gate) running = [.. owned];
        foreach (var task in running)
        {
            try
            {
                await task;
            }
            catch (OperationCanceledException)
            {
                // Asked for above.
            }
        }

    }

    private async Task LaterAsync(TurnInput input, TimeSpan delay)
    {
        await Task.Delay(delay, time, stop.Token);
        await inputs.Writer.WriteAsync(input, stop.Token);
    }

    private async Task ReadEventsAsync()
    {
        for (var again = false; !server.Exited.IsCompleted; again = true)
        {
            try
            {
                using var events = await server.Api.OpenEventsAsync(stop.Token);
                await inputs.Writer.WriteAsync(new TurnInput.Connected(again), stop.Token);
                await foreach (var data in events.ReadAsync(options.EventSilence, stop.Token))
                {
                    await inputs.Writer.WriteAsync(new TurnInput.Event(data), stop.Token);
                }
            }
            catch (OpenCodeCallException) when (!stop.IsCancellationRequested)
            {
                // The server ends or hangs; the watchers say which.
            }

            await Task.Delay(options.RecheckInterval, time, stop.Token);
        }
    }

    private async Task WatchExitAsync(Task events)
    {
        var exit = await server.Exited.WaitAsync(stop.Token);
        // What the agent said before its end comes first.
        await Task.WhenAny(events, Task.Delay(options.RecheckInterval * 3, time, stop.Token));
        await inputs.Writer.WriteAsync(new TurnInput.Exited(exit), stop.Token);
    }

    private async Task WatchHealthAsync()
    {
        for (var failures = 0; failures < options.HealthFailures;)
        {
            await Task.Delay(options.HealthInterval, time, stop.Token);
            if (server.Exited.IsCompleted) return;
            failures = await server.Api.TryHealthAsync(options.HealthTimeout, stop.Token) is null ? failures + 1 : 0;
        }

        await inputs.Writer.WriteAsync(new TurnInput.Hung(string.Create(CultureInfo.InvariantCulture, $"it did not answer {options.HealthFailures} health checks in a row")), stop.Token);
    }
}
