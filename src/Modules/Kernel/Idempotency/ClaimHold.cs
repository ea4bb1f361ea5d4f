using Coordinator.Ports;
using Coordinator.Ports.Identity;

namespace Coordinator.Modules.Kernel.Idempotency;

/// <summary>A request that this host runs, and the claim it runs it by.</summary>
internal sealed record ClaimedRequest(OrganizationId Organization, string Scope, string Key, Guid Id);

/// <summary>
/// Holds the claim of a request while it runs. A host that dies holds nothing, so its requests are free soon; one that cannot hold a
/// claim in time ends the request by itself before another host may take it over.
/// </summary>
internal sealed class ClaimHold : IAsyncDisposable
{
    /// <summary>How long a claim stays when nobody holds it any more.</summary>
    public static readonly TimeSpan Held = TimeSpan.FromSeconds(15);

    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(3);

    /// <summary>From when a claim was surely held to the last try, which with its own time is over before <see cref="Held"/> is.</summary>
    internal static readonly TimeSpan GivenUpAfter = TimeSpan.FromSeconds(12);

    private static readonly TimeSpan LastTry = TimeSpan.FromSeconds(2);

    private readonly ITenantDirectory directory;
    private readonly ClaimedRequest claim;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource lost;
    private readonly CancellationTokenSource done = new();
    private readonly Task holding;

    /// <param name="directory">Where the claim is held.</param>
    /// <param name="claim">What is held.</param>
    /// <param name="claimedAt">A time stamp from before the claim was made.</param>
    /// <param name="time">The clock.</param>
    /// <param name="aborted">Whoever asked has left.</param>
    public ClaimHold(ITenantDirectory directory, ClaimedRequest claim, long claimedAt, TimeProvider time, CancellationToken aborted)
    {
        (this.directory, this.claim, this.time) = (directory, claim, time);
        lost = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        Lost = lost.Token;
        holding = HoldAsync(claimedAt);
    }

    /// <summary>Ends the request: its claim is not surely held any more, or its caller has left.</summary>
    public CancellationToken Lost { get; }

    /// <summary>The claim is not surely held any more.</summary>
    public bool IsLost { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await done.CancelAsync();
        await holding;
        done.Dispose();
        lost.Dispose();
    }

    private async Task HoldAsync(long heldAt)
    {
        try
        {
            for (bool? outcome = true; outcome is true || (outcome is null && LeftSince(heldAt) > TimeSpan.Zero);)
            {
                await Task.Delay(Shorter(Interval, LeftSince(heldAt)), time, done.Token);
                var asked = time.GetTimestamp();
                outcome = await TryHoldAsync(Longer(LastTry, LeftSince(heldAt)));
                if (outcome is true) heldAt = asked;
            }
        }
        catch (OperationCanceledException) when (done.IsCancellationRequested)
        {
            return;
        }

        IsLost = true;
        await lost.CancelAsync();
    }

    /// <summary>False when the claim is another's; null when it could not be found out in time.</summary>
    private async Task<bool?> TryHoldAsync(TimeSpan left)
    {
        using var limit = new CancellationTokenSource(left, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, done.Token);
        try
        {
            return await directory.HoldRequestAsync(claim.Organization, claim.Scope, claim.Key, claim.Id, Held, either.Token);
        }
        catch (Exception failure) when (failure is PortException || (failure is OperationCanceledException && !done.IsCancellationRequested))
        {
            return null;
        }
    }

    private TimeSpan LeftSince(long heldAt) => Longer(TimeSpan.Zero, GivenUpAfter - time.GetElapsedTime(heldAt));

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
