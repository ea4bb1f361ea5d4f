using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.Postgres;

internal sealed partial class DatabaseStarter
{
    [LoggerMessage(2131, LogLevel.Information, "The database is ready, {Applied} migrations applied, after {Milliseconds:F0} ms.")]
    private partial void LogReady(int applied, double milliseconds);
}
