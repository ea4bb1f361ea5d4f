using Coordinator.Ports;
using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.Postgres.Journal;

internal sealed partial class AppendWriter
{
    [LoggerMessage(2141, LogLevel.Warning, "The answer to a group of {Count} appends was lost; the heads are read.")]
    private partial void LogAnswerLost(Exception failure, int count);

    [LoggerMessage(2142, LogLevel.Warning, "Of the appends whose answer was lost, {Written} were written and {Missing} are written now.")]
    private partial void LogSettled(int written, int missing);

    [LoggerMessage(2143, LogLevel.Error, "Whether {Count} appends were written could not be found out; their activations end.")]
    private partial void LogUnknown(Exception failure, int count);

    [LoggerMessage(2144, LogLevel.Error, "The database refuses the data of an append of {Session}.")]
    private partial void LogRejected(SessionKey session, Exception refused);

    [LoggerMessage(2145, LogLevel.Error, "Writing a group of {Count} appends failed in an unexpected way.")]
    private partial void LogFailed(Exception failure, int count);

    [LoggerMessage(2146, LogLevel.Error, "The database refuses appends for what is not of their data, each that was tried alone; {Count} that waited beside them are refused untried.")]
    private partial void LogRefusedAll(int count, Exception refused);

    [LoggerMessage(2147, LogLevel.Warning, "Somebody holds the row of session {Session}, or another that its append writes: the append waits for it apart from the others.")]
    private partial void LogHeld(SessionKey session, Exception refused);
}
