using Coordinator.Sandbox.Storage;

namespace Coordinator.Sandbox.Bridge;

/// <summary>Why the box stops dialling for good.</summary>
internal enum BridgeVerdict
{
    /// <summary>Asked to by whoever runs the loop.</summary>
    Stopped,

    /// <summary>The control plane does not want this box any more.</summary>
    Refused,

    /// <summary>No control plane for longer than a box lives without one.</summary>
    Lonely,

    /// <summary>The disk took no new spool, so that there is nothing to be told from; or its workspace grew on, whatever was ended.</summary>
    NoDisk,
}

/// <summary>Dials, serves, and dials again, until one of the few things that are final.</summary>
internal sealed class BridgeLoop(BridgeClient client, IBridgeDialer dialer, ReconnectSchedule schedule, TimeSpan lonelyLimit, TimeProvider time, BoxLog log)
{
    private const int HostRestarts = 1012;
    private const int NotWanted = 4410;

    /// <summary>A host that hangs still takes connections: while one is waited for there, no other is dialed.</summary>
    internal static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(10);

    public async Task<BridgeVerdict> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await DialAndServeAsync(cancellationToken);
        }
        catch (SpoolNotRenewedException failure)
        {
            log.SpoolNotRenewed(failure.Message);
            return BridgeVerdict.NoDisk;
        }
    }

    private async Task<BridgeVerdict> DialAndServeAsync(CancellationToken cancellationToken)
    {
        var lastContact = time.GetTimestamp();
        while (!cancellationToken.IsCancellationRequested)
        {
            var wait = schedule.Next();
            switch (await DialAsync(cancellationToken))
            {
                case DialResult.Open open:
                    var end = await ServeAsync(open.Socket, cancellationToken);
                    if (end.Code == NotWanted) return BridgeVerdict.Refused;
                    if (end.WasWelcomed)
                    {
                        schedule.Reset();
                        lastContact = time.GetTimestamp();
                        wait = schedule.Next();
                    }

                    if (end.Code == HostRestarts) wait = schedule.AtOnce();
                    log.Disconnected(end.Code ?? 0);
                    break;
                case DialResult.Refused { Status: 401 or 403 or 410 } refused:
                    log.Refused(refused.Status);
                    return BridgeVerdict.Refused;
                case DialResult.Refused refused:
                    log.DialFailed($"the control plane answered {refused.Status}");
                    break;
                case DialResult.Unreachable unreachable:
                    log.DialFailed(unreachable.Why);
                    break;
            }

            if (time.GetElapsedTime(lastContact) >= lonelyLimit) return BridgeVerdict.Lonely;
            if (!await WaitAsync(wait, cancellationToken)) break;
        }

        return BridgeVerdict.Stopped;
    }

    private async Task<DialResult> DialAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(DialTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            return await dialer.DialAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            return new DialResult.Unreachable("no answer in time");
        }
    }

    private async Task<ConnectionEnd> ServeAsync(IBridgeSocket socket, CancellationToken cancellationToken)
    {
        await using (socket)
        {
            log.Connected();
            return await client.ServeAsync(socket, cancellationToken);
        }
    }

    private async Task<bool> WaitAsync(TimeSpan wait, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(wait, time, cancellationToken);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
