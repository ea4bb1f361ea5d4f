using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.SandboxHost.Boxes;

/// <summary>
/// Every minute: ends boxes whose time is up, their data kept, whether their control plane is there or not; and forgets
/// creates that no late request can name any more.
/// </summary>
internal sealed partial class BoxReaper(ISandboxProvider provider, CreateLedger ledger, TimeProvider time, ILogger<BoxReaper> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>Long after every retry of a create, signed anew or not.</summary>
    private static readonly TimeSpan Remembered = TimeSpan.FromDays(1);

    private static readonly Dictionary<string, string> Every = [];

    /// <summary>One look; returns how many boxes were ended.</summary>
    public async ValueTask<int> ReapAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        List<SandboxListing> listings = [];
        await foreach (var listing in provider.ListAsync(Every, cancellationToken)) listings.Add(listing);
        var there = listings.ToLookup(listing => listing.Labels.GetValueOrDefault(SandboxLabels.Sandbox), StringComparer.Ordinal);
        var ended = 0;
        foreach (var known in ledger.All.ToList())
        {
            var boxes = there[known.Sandbox.ToString()].ToList();
            foreach (var box in boxes.Where(box => box.Status is SandboxStatus.Running && now >= known.ExpiresAt))
            {
                await provider.DestroyAsync(box.Handle, keepData: true, cancellationToken);
                LogExpired(known.Sandbox);
                ended++;
            }

            if (boxes.Count == 0 && now - (known.DestroyedAt ?? known.CreatedAt) > Remembered) ledger.Forget(known);
        }

        return ended;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await ReapAsync(stoppingToken);
            }
            catch (Exception e) when (e is PortException or IOException)
            {
                LogFailed(e);
            }
        }
    }

    [LoggerMessage(5421, LogLevel.Warning, "Box {Sandbox} has lived as long as it may and was ended.")]
    private partial void LogExpired(SandboxId sandbox);

    [LoggerMessage(5422, LogLevel.Error, "A look at the boxes' time failed; the next follows in a minute.")]
    private partial void LogFailed(Exception failure);
}
