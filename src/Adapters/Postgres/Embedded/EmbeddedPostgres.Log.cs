using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.Postgres.Embedded;

internal sealed partial class EmbeddedPostgres
{
    [LoggerMessage(2121, LogLevel.Information, "PostgreSQL {Major} of {Binaries} answers for {Folder} after {Milliseconds:F0} ms.")]
    private partial void LogStarted(int major, string binaries, string folder, double milliseconds);

    [LoggerMessage(2122, LogLevel.Warning, "Ended a PostgreSQL that an earlier host had left running in {Folder}.")]
    private partial void LogEndedLeftover(string folder);

    [LoggerMessage(2123, LogLevel.Error, "The embedded PostgreSQL ended by itself with code {ExitCode}; it is started again. Its log is {Log}.")]
    private partial void LogDied(int exitCode, string log);

    [LoggerMessage(2124, LogLevel.Warning, "The embedded PostgreSQL is back after {Milliseconds:F0} ms.")]
    private partial void LogRestarted(double milliseconds);

    [LoggerMessage(2125, LogLevel.Error, "The embedded PostgreSQL could not be started again; tried again in {Seconds:F1} s.")]
    private partial void LogRestartFailed(Exception failure, double seconds);

    [LoggerMessage(2126, LogLevel.Warning, "The embedded PostgreSQL is still shutting down; its guard sees it through. Its log is {Log}.")]
    private partial void LogStillStopping(string log);

    [LoggerMessage(2127, LogLevel.Error, "What was told of the embedded PostgreSQL's end failed at it.")]
    private partial void LogListenerFailed(Exception failure);

    [LoggerMessage(2128, LogLevel.Warning, "The embedded PostgreSQL has been recovering for {For} and answers when that is done. Its log is {Log}.")]
    private partial void LogRecovering(TimeSpan @for, string log);
}
