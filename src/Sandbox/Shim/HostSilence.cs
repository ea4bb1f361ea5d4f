namespace Coordinator.Sandbox.Shim;

/// <summary>Gives a host up from which nothing comes for too long. Only while it is waited for does its silence count.</summary>
internal sealed class HostSilence : IDisposable
{
    private readonly CancellationToken caller;
    private readonly CancellationTokenSource over;
    private readonly CancellationTokenRegistration left;

    public HostSilence(TimeProvider time, CancellationToken caller)
    {
        this.caller = caller;
        over = new(Timeout.InfiniteTimeSpan, time);
        left = caller.UnsafeRegister(static over => ((CancellationTokenSource)over!).Cancel(), over);
    }

    /// <summary>From now on so long.</summary>
    public void Allow(TimeSpan longest) => over.CancelAfter(longest);

    /// <summary>What is waited for, within what was allowed.</summary>
    /// <exception cref="HostSilentException">It did not come.</exception>
    public async ValueTask<T> HearAsync<T>(Func<CancellationToken, Task<T>> wait)
    {
        try
        {
            return await wait(over.Token);
        }
        catch (OperationCanceledException) when (!caller.IsCancellationRequested)
        {
            throw new HostSilentException();
        }
        finally
        {
            over.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Reads what comes next within <paramref name="longest"/>.</summary>
    /// <exception cref="HostSilentException">Nothing did.</exception>
    public async ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer, TimeSpan longest)
    {
        over.CancelAfter(longest);
        try
        {
            return await stream.ReadAsync(buffer, over.Token);
        }
        catch (OperationCanceledException) when (!caller.IsCancellationRequested)
        {
            throw new HostSilentException();
        }
        finally
        {
            over.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        left.Dispose();
        over.Dispose();
    }
}

/// <summary>Nothing came from a host for longer than one that works is silent.</summary>
internal sealed class HostSilentException() : IOException("nothing comes from the host any more");
