using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.Postgres.Feed;

internal sealed partial class FeedWakeUps
{
    [LoggerMessage(2161, LogLevel.Warning, "Wake-ups of the feed are not heard for now; those who wait look by themselves meanwhile.")]
    private partial void LogDeaf(Exception failure);
}
