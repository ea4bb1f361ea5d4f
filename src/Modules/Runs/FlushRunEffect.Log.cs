using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;

namespace Coordinator.Modules.Runs;

internal sealed partial class FlushRunEffect
{
    [LoggerMessage(1601, LogLevel.Warning, "Run {Run} of {Session} was not written: the history is {Kind}. Tried again: {Retryable}")]
    private partial void LogFailed(RunId run, SessionKey session, PortFailureKind kind, bool retryable, Exception failure);

    [LoggerMessage(1602, LogLevel.Error, "Run {Run} of {Session} is not in the history, which refuses it for what it is. It is kept with its session and offered again a day from now, a few times; the runs behind it do not wait for it.")]
    private partial void LogRefused(RunId run, SessionKey session, Exception failure);
}
