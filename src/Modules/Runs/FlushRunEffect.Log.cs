using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;

namespace Coordinator.Modules.Runs;

internal sealed partial class FlushRunEffect
{
    [LoggerMessage(1601, LogLevel.Warning, "Run {Run} of {Session} was not written: the history is {Kind}. Tried again: {Retryable}")]
    private partial void LogFailed(RunId run, SessionKey session, PortFailureKind kind, bool retryable, Exception failure);
}
