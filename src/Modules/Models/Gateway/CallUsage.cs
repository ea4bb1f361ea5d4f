using Coordinator.Modules.Models.Metering;

namespace Coordinator.Modules.Models.Gateway;

/// <summary>
/// What one call used, on its way into its session. The answer waits for it so long and no longer; the recording goes on behind an answer that was cut, for
/// what was used is owed all the same.
/// </summary>
internal sealed class CallUsage(UsageLedger ledger, MeteredCall call, TimeProvider time, CancellationToken givenUp)
{
    private Task recording = Task.CompletedTask;

    /// <summary>True when the usage is durable; false when it is not, or not yet, and the answer must not be given its end.</summary>
    public async Task<bool> RecordAsync(TokenCounts counts)
    {
        var recorded = ledger.RecordAsync(call, counts, givenUp);
        recording = recorded;
        try
        {
            return await recorded.WaitAsync(UsageLedger.ShortPatience, time);
        }
        catch (TimeoutException)
        {
            ledger.HeldUp(call);
            recording = ToldLateAsync(recorded);
            return false;
        }
    }

    /// <summary>Completes when the usage is durable, or given up.</summary>
    public Task SettledAsync() => recording;

    private async Task ToldLateAsync(Task<bool> recorded)
    {
        if (await recorded) ledger.RecordedLate(call);
    }
}
