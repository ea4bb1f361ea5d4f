using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.Postgres;

internal sealed partial class MigrationRunner
{
    [LoggerMessage(2101, LogLevel.Information, "Applied {Migration} in {Milliseconds:F0} ms.")]
    private partial void LogApplied(string migration, double milliseconds);
}
