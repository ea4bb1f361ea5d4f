using Coordinator.Host.Web;
using Coordinator.Modules.Tenancy;
using Coordinator.Ports;

namespace Coordinator.Host.Starting;

/// <summary>
/// Brings up what the host depends on, side by side, while it already listens; then says what serves what, and prints the
/// one-time sign-in link. A dependency that refuses its settings ends the host; one that is away is tried again.
/// </summary>
internal sealed partial class HostStartup(
    IEnumerable<IHostDependency> dependencies,
    HostReadiness readiness,
    OwnerSignIn signIn,
    PortReport ports,
    WebApp web,
    HostAddress address,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILoggerFactory loggers) : BackgroundService
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly ILogger logger = loggers.CreateLogger<HostStartup>();

    /// <summary>What the process ends with.</summary>
    public int ExitCode { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!await ListensAsync(stoppingToken)) return;
        try
        {
            var began = time.GetTimestamp();
            foreach (var wave in dependencies.GroupBy(dependency => dependency.IsLast).OrderBy(wave => wave.Key))
                await StartAllAsync(wave, stoppingToken);
            readiness.Set();
            await ReportAsync(began, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            LogStoppedWhileStarting(logger);
        }
        catch (Exception failure)
        {
            var explained = StartFailure.Explain(failure, StartingProgram.Host);
            if (explained is null) LogFailed(logger, failure);
            else await Console.Error.WriteLineAsync(explained.Text);
            ExitCode = explained?.ExitCode ?? ExitCodes.Failed;
            lifetime.StopApplication();
        }
    }

    /// <summary>
    /// A host that cannot listen starts nothing: what it has begun with would only be in the way of the one that does. And one that
    /// were told to stop while it begins to listen would fail by that, and its exit code were lost.
    /// </summary>
    private async Task<bool> ListensAsync(CancellationToken stoppingToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(lifetime.ApplicationStarted, stoppingToken);
        await Task.Delay(Timeout.InfiniteTimeSpan, time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return lifetime.ApplicationStarted.IsCancellationRequested;
    }

    /// <summary>Side by side. One that ends the host ends the wait for the others, which may be for that very one.</summary>
    private async Task StartAllAsync(IEnumerable<IHostDependency> wave, CancellationToken stoppingToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var starts = wave.Select(dependency => StartAsync(dependency, over.Token)).ToList();
        await foreach (var start in Task.WhenEach(starts))
        {
            if (start.IsFaulted) await over.CancelAsync();
        }

        await Task.WhenAll(starts);
    }

    private async Task StartAsync(IHostDependency dependency, CancellationToken cancellationToken)
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                var began = time.GetTimestamp();
                await dependency.StartAsync(cancellationToken);
                var (name, description, took) = (dependency.Name, dependency.Description, time.GetElapsedTime(began));
                LogReady(logger, name, description, took.TotalMilliseconds);
                return;
            }
            catch (PortException failure) when (failure.Kind == PortFailureKind.Rejected && !dependency.IsRequired)
            {
                LogWithout(logger, dependency.Name, failure.Message);
                return;
            }
            catch (Exception failure) when (failure is PortException { Kind: not PortFailureKind.Rejected } || FullDisk.Is(failure))
            {
                LogRetried(LoggerOf(dependency), dependency.Name, failure as PortException ?? new PortException(PortFailureKind.Full, failure.Message, inner: failure));
                if (!dependency.IsRequired) return;
                await Task.Delay(pause, time, cancellationToken);
            }
        }
    }

    /// <summary>One for each: of what is away at the same time none may be left out as one more of another.</summary>
    private ILogger LoggerOf(IHostDependency dependency) => loggers.CreateLogger($"{typeof(HostStartup).FullName}.{dependency.Name}");

    private async Task ReportAsync(long began, CancellationToken cancellationToken)
    {
        foreach (var (plane, line) in ports.Lines) LogPorts(logger, plane, line);
        if (!web.IsBuilt) LogNoWebApp(logger);
        var (url, took) = (address.Url, time.GetElapsedTime(began));
        LogServing(logger, address.Served, took.TotalMilliseconds);
        await InviteAsync(url, cancellationToken);
    }

    /// <summary>The host serves by now: that its database goes away in this very moment is no reason to end it.</summary>
    private async Task InviteAsync(Uri url, CancellationToken cancellationToken)
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                var invitation = await signIn.InviteAsync(cancellationToken);
                await Console.Out.WriteLineAsync($"Sign in: {invitation.At(url)}");
                await Console.Out.FlushAsync(cancellationToken);
                return;
            }
            catch (PortException failure)
            {
                LogRetried(logger, "The sign-in link", failure);
                await Task.Delay(pause, time, cancellationToken);
            }
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "{Dependency} is ready ({Description}) after {Milliseconds:F0} ms.")]
    private static partial void LogReady(ILogger logger, string dependency, string description, double milliseconds);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "{Dependency} did not start, and is tried again.")]
    private static partial void LogRetried(ILogger logger, string dependency, Exception failure);

    [LoggerMessage(EventId = 3, Level = LogLevel.Warning, Message = "The host goes on without {Dependency}: {Reason}")]
    private static partial void LogWithout(ILogger logger, string dependency, string reason);

    [LoggerMessage(EventId = 4, Level = LogLevel.Information, Message = "{Plane}: {Ports}")]
    private static partial void LogPorts(ILogger logger, string plane, string ports);

    [LoggerMessage(EventId = 5, Level = LogLevel.Warning, Message = "The web app is not built; the API serves without it.")]
    private static partial void LogNoWebApp(ILogger logger);

    [LoggerMessage(EventId = 6, Level = LogLevel.Information, Message = "Serving at {Address}, {Milliseconds:F0} ms after the start.")]
    private static partial void LogServing(ILogger logger, string address, double milliseconds);

    [LoggerMessage(EventId = 7, Level = LogLevel.Information, Message = "Stopped while it was starting.")]
    private static partial void LogStoppedWhileStarting(ILogger logger);

    [LoggerMessage(EventId = 8, Level = LogLevel.Critical, Message = "The host cannot start.")]
    private static partial void LogFailed(ILogger logger, Exception failure);
}
