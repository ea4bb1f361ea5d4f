using Coordinator.Sandbox.Events;
using Coordinator.Sandbox.Processes;

namespace Coordinator.Sandbox.Boot;

/// <summary>
/// Reports a running phase: what it printed since the last report, no oftener than the rate and no more than the
/// bound, so that an install that prints a hundred thousand lines costs the session a few hundred events at most.
/// </summary>
internal sealed class PhaseProgress(string phase, IBoxEvents events, LifecycleEvents lifecycle, TimeProvider time) : IAsyncDisposable
{
    private const int MaxReportUnits = 4 * 1024;
    private const long MaxTotalUnits = 256 * 1024;
    private static readonly TimeSpan Rate = TimeSpan.FromMilliseconds(500);

    private readonly Lock gate = new();
    private readonly OutputTail gathered = new(MaxReportUnits);
    private readonly CancellationTokenSource ending = new();
    private long told;
    private Task? reporting;

    /// <summary>Takes what a command printed; told with the next report.</summary>
    public void Add(string output)
    {
        gathered.Append(output);
        if (reporting is not null) return;
        lock (gate) reporting ??= ReportAsync(ending.Token);
    }

    /// <summary>Tells what is left.</summary>
    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        if (reporting is not null) await reporting;
        Report();
        ending.Dispose();
    }

    private async Task ReportAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            Report();
            await Task.Delay(Rate, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Report()
    {
        var output = gathered.Take();
        if (output.Length == 0 || told > MaxTotalUnits) return;
        told += output.Length;
        events.Emit(lifecycle.Phase(new PhaseReport(phase, "progress", Output: output)));
    }
}
