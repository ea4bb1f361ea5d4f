using Coordinator.Adapters.Postgres.Listening;
using Coordinator.Ports;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Feed;

/// <summary>Hears in which organizations something was published: after the commit, and never of what was rolled back.</summary>
internal sealed class FeedWakeUps(NpgsqlDataSource dataSource, TimeProvider time, ILogger<FeedWakeUps> logger) : WakeUps(dataSource, Channel, time, logger)
{
    private const string Channel = "coordinator_feed";

    /// <summary>$1 is <see cref="NameOf"/>. A transaction that says it twice is heard once.</summary>
    public const string NotifySql = $"SELECT pg_notify('{Channel}', $1)";

    /// <summary>What an organization is called on the channel, which everybody on the database can hear.</summary>
    public static string NameOf(OrganizationId organization) => organization.Value.ToString("n");

    /// <summary>Completes with the next thing that is heard of the organization; dispose it when nobody waits for it any more.</summary>
    public Heard Listen(OrganizationId organization) => Listen(NameOf(organization));
}
