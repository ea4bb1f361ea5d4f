using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.Postgres.Listening;

internal abstract partial class WakeUps
{
    [LoggerMessage(2161, LogLevel.Warning, "Wake-ups of {Channel} are not heard for now; those who wait look by themselves meanwhile.")]
    private partial void LogDeaf(Exception failure, string channel);
}
