namespace Coordinator.Starting;

/// <summary>
/// A start that fails is told by one sentence (<see cref="StartFailure"/>), or by the exception itself: that the framework logs
/// it too, with its stack, would only hide the sentence. What ends the host from beside the start, a service in the background
/// that failed, is told by nobody else: it is critical, and logged. Once the host has started, whatever the framework says of it is.
/// </summary>
internal sealed class StartFailureLog
{
    private const string Framework = "Microsoft.Extensions.Hosting.Internal.Host";

    private IHostApplicationLifetime? lifetime;

    public static StartFailureLog KeepQuiet(ILoggingBuilder logging)
    {
        var log = new StartFailureLog();
        logging.AddFilter(Framework, log.IsTold);
        return log;
    }

    public void Of(IHostApplicationLifetime host) => lifetime = host;

    private bool IsTold(LogLevel level) => level >= (lifetime?.ApplicationStarted.IsCancellationRequested == true ? LogLevel.Warning : LogLevel.Critical);
}
