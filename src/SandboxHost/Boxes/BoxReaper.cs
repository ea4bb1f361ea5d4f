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

    /// <summary>One look; returns how many boxes were ended. What cannot be read or ended keeps no other box alive.</summary>
    public async ValueTask<int> ReapAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var (listings, isWhole) = await ListAsync(cancellationToken);
        var there = listings.ToLookup(listing => listing.Labels.GetValueOrDefault(SandboxLabels.Sandbox), StringComparer.Ordinal);
        var ended = 0;
        foreach (var known in ledger.All.ToList())
        {
            var boxes = there[known.Sandbox.ToString()].ToList();
            foreach (var box in boxes.Where(box => box.Status is SandboxStatus.Running && now >= known.ExpiresAt))
                ended += await EndAsync(known.Sandbox, box.Handle, cancellationToken) ? 1 : 0;
            if (isWhole && boxes.Count == 0 && now - (known.DestroyedAt ?? known.CreatedAt) > Remembered) ledger.Forget(known);
        }

        return ended;
    }

    /// <summary>What could be told, and whether that is all.</summary>
    private async ValueTask<(List<SandboxListing> Listings, bool IsWhole)> ListAsync(CancellationToken cancellationToken)
    {
        List<SandboxListing> listings = [];
        try
        {
            await foreach (var listing in provider.ListAsync(Every, cancellationToken)) listings.Add(listing);
            return (listings, true);
        }
        catch (PortException failure)
        {
            LogListingFailed(failure);
            return (listings, false);
        }
    }

    private async ValueTask<bool> EndAsync(SandboxId sandbox, SandboxHandle handle, CancellationToken cancellationToken)
    {
        try
        {
            await provider.DestroyAsync(handle, keepData: true, cancellationToken);
            LogExpired(sandbox);
            return true;
        }
        catch (PortException failure)
        {
            LogNotEnded(sandbox, failure);
            return false;
        }
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
            catch (Exception e) when (e is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                LogFailed(e);
            }
        }
    }

    [LoggerMessage(5421, LogLevel.Warning, "Box {Sandbox} has lived as long as it may and was ended.")]
    private partial void LogExpired(SandboxId sandbox);

    [LoggerMessage(5423, LogLevel.Warning, "Not every box could be listed; those that could are looked at.")]
    private partial void LogListingFailed(Exception failure);

    [LoggerMessage(5424, LogLevel.Error, "The time of box {Sandbox} is up and it could not be ended; it is tried again in a minute.")]
    private partial void LogNotEnded(SandboxId sandbox, Exception failure);

    [LoggerMessage(5422, LogLevel.Error, "A look at the boxes' time failed; the next follows in a minute.")]
    private partial void LogFailed(Exception failure);
}
