using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.Postgres;

internal sealed partial class DatabaseStarter
{
    [LoggerMessage(2131, LogLevel.Information, "The database is ready, {Applied} migrations applied, after {Milliseconds:F0} ms.")]
    private partial void LogReady(int applied, double milliseconds);

    [LoggerMessage(2133, LogLevel.Warning, "The database's role bypasses row-level security, the second wall between tenants; give the host a role that does not.")]
    private partial void LogBypassesRowSecurity();
}
