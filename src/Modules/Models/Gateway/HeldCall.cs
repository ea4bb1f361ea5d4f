using Coordinator.Ports.Session;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Modules.Models.Gateway;

/// <summary>
/// A call that its host hears out before it stops, and the end of it when that takes too long: it is over at once, but for what has only to
/// be written any more, and a caller that does not even read that is broken off soon after.
/// </summary>
internal sealed class HeldCall : IAsyncDisposable
{
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    private readonly ISessionHold hold;
    private readonly CancellationTokenSource over;
    private readonly ITimer breaking;
    private readonly CancellationTokenRegistration givenUp;

    public HeldCall(HttpContext context, ISessionHold hold, TimeProvider time)
    {
        this.hold = hold;
        over = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, hold.GivenUp);
        breaking = time.CreateTimer(static call => ((HttpContext)call!).Abort(), context, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        givenUp = hold.GivenUp.UnsafeRegister(static timer => ((ITimer)timer!).Change(Farewell, Timeout.InfiniteTimeSpan), breaking);
    }

    /// <summary>Cancelled when the caller has left or the host waits no longer.</summary>
    public CancellationToken Over => over.Token;

    /// <summary>Cancelled when the host waits no longer.</summary>
    public CancellationToken GivenUp => hold.GivenUp;

    /// <summary>True once the host waits no longer.</summary>
    public bool IsGivenUp => hold.GivenUp.IsCancellationRequested;

    public async ValueTask DisposeAsync()
    {
        await givenUp.DisposeAsync();
        await breaking.DisposeAsync();
        over.Dispose();
        hold.Dispose();
    }
}
