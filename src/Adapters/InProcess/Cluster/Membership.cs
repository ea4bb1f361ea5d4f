using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess.Cluster;

/// <summary>A host as its peers know it, and the actors that it runs under that id.</summary>
internal sealed record Member(IHostRegistration Registration, InProcessSessionHost Actors)
{
    public HostLocation Location => Registration.Location;

    public bool IsCurrent => Registration.Loss is null;
}

/// <summary>
/// Keeps this process a host of the cluster. When the registration is lost its actors are stopped and its followers sent
/// away to come again, and the process registers anew, under a new id and with nothing in memory.
/// </summary>
internal sealed class Membership(IHostRegistry registry, Func<IHostRegistration, InProcessSessionHost> actorsOf, Func<string> keyPrint, ClusterOptions options, TimeProvider time, ClusterLog log) : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a host that leaves waits to be one again: what it waits for then has its own time still.</summary>
    private static readonly TimeSpan ReturnTime = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource stopping = new();
    private readonly Lock gate = new();
    private TaskCompletionSource<Member> current = New();
    /// <summary>What <see cref="current"/> has come to; null while it is awaited.</summary>
    private Member? now;
    private Task keeping = Task.CompletedTask;
    private volatile string? obstacle;

    /// <summary>Why it is nothing, as the last attempt to register told; null when none has failed since it last was something.</summary>
    public string? Obstacle => obstacle;

    /// <summary>Registers, and returns when that is done for the first time.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (keeping.IsCompleted) keeping = Task.Run(() => KeepAsync(stopping.Token), CancellationToken.None); // who starts it may give up waiting; its end is its own
        }

        await CurrentAsync(cancellationToken);
    }

    /// <summary>What this process is now, waiting while it is nothing.</summary>
    /// <exception cref="PortException">It has not come to be a host in time.</exception>
    public async ValueTask<Member> CurrentAsync(CancellationToken cancellationToken)
    {
        Task<Member> awaited;
        lock (gate) awaited = current.Task;
        try
        {
            var member = await awaited.WaitAsync(options.SearchTime, time, cancellationToken);
            if (member.IsCurrent) return member;
        }
        catch (TimeoutException)
        {
            // Said below.
        }

        throw new PortException(PortFailureKind.Unavailable, "This host is registering with its peers; try again at once.", retryAfter: TimeSpan.FromSeconds(1));
    }

    /// <summary>What it is now; null while it is nothing.</summary>
    public Member? Find()
    {
        lock (gate) return now is { IsCurrent: true } ? now : null;
    }

    /// <summary>Hands everything back and leaves. It leaves too when something cannot be handed back in time, so that peers need not wait to take it over.</summary>
    /// <param name="settled">Completes once nothing is held for sessions: until then, and not for long, it waits to be a host again where it is none.</param>
    public async Task LeaveAsync(Task settled, CancellationToken cancellationToken)
    {
        Member? member;
        lock (gate) member = now;
        try
        {
            member ??= await ReturnAsync(settled, cancellationToken);
            if (member is not null) await member.Actors.DrainAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            if (member is not null) await StopAsync(member);
            throw;
        }
        finally
        {
            await DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!stopping.IsCancellationRequested) await stopping.CancelAsync();
        await keeping;
    }

    private async Task<Member?> ReturnAsync(Task settled, CancellationToken cancellationToken)
    {
        Task either;
        lock (gate) either = Task.WhenAny(settled, current.Task);
        await either.WaitAsync(ReturnTime < options.SearchTime ? ReturnTime : options.SearchTime, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate) return now;
    }

    private static TaskCompletionSource<Member> New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task KeepAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await ServeAsync(await BeginAsync(cancellationToken), cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                // Whatever it was: nobody else makes this process a host again.
                obstacle = Publish(failure);
                if (failure is PortException) log.NotRegistered(failure);
                else log.MembershipFailed(failure);
                await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Whoever asks whether this host is ready is told it, without a credential: what nobody foresaw may say anything, and only the log has it.</summary>
    private static string Publish(Exception failure) => failure is PortException ? failure.Message : "It failed for a reason that the log has.";

    private async Task<Member> BeginAsync(CancellationToken cancellationToken)
    {
        var registration = await registry.RegisterAsync(new(options.Address!, keyPrint(), time), cancellationToken);
        try
        {
            return new(registration, actorsOf(registration));
        }
        catch
        {
            await registration.DisposeAsync(); // a host without actors is none
            throw;
        }
    }

    /// <summary>Until the registration is lost, or the host leaves.</summary>
    private async Task ServeAsync(Member member, CancellationToken cancellationToken)
    {
        obstacle = null;
        lock (gate)
        {
            now = member;
            current.TrySetResult(member);
        }

        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, member.Registration.Lost);
            await Task.Delay(Timeout.InfiniteTimeSpan, time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            lock (gate) (now, current) = (null, New());
            await EndAsync(member, isLost: !cancellationToken.IsCancellationRequested);
        }
    }

    /// <summary>However one step of it ends, the others follow: actors that nobody stops would go on under an id that is none any more.</summary>
    private async Task EndAsync(Member member, bool isLost)
    {
        try
        {
            if (isLost) await StopAsync(member);
        }
        finally
        {
            try
            {
                await member.Registration.DisposeAsync();
            }
            finally
            {
                await member.Actors.DisposeAsync();
            }
        }
    }

    /// <summary>An actor that is still waiting for the store is left to its fence: what it wrote is refused once the session has another host.</summary>
    private async Task StopAsync(Member member)
    {
        log.Stopping(member.Location.Id, member.Actors.ActiveCount);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2), time);
        await member.Actors.StopAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
