using Coordinator.Adapters.InProcess;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Options;

namespace Coordinator.Host.Starting;

/// <summary>
/// Hands sessions back before the host stops: sockets are closed with "restarting", work that is under way and what is
/// being written settles, leases are released. It runs before the server stops listening, because the server waits for its open sockets.
/// </summary>
internal sealed partial class HostDrain(ISessionHost sessions, IOptions<SessionHostOptions> options, TimeProvider time, ILogger<HostDrain> logger) : IHostedLifecycleService
{
    private static readonly TimeSpan HandOverTime = TimeSpan.FromSeconds(10);

    /// <summary>What the servers and services that stop after the drain have.</summary>
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(10);

    /// <summary>The longest that the host may take to stop.</summary>
    public static TimeSpan Longest(SessionHostOptions options) => options.SettleTime + HandOverTime + StopTime;

    private bool serves; // from the moment that it listens

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        if (!serves) return;
        using var limit = new CancellationTokenSource(options.Value.SettleTime + HandOverTime, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await sessions.DrainAsync(either.Token);
        }
        catch (Exception failure) when (failure is OperationCanceledException or PortException)
        {
            LogNotDrained(logger, failure);
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        serves = true;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(EventId = 9, Level = LogLevel.Warning, Message = "Not every session was handed back in time; the next host takes them over.")]
    private static partial void LogNotDrained(ILogger logger, Exception failure);
}
