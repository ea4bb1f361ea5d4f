using Coordinator.Ports;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// The database's start as others see it. Hosted services registered after <c>AddPostgres</c> start when it is done;
/// whoever is earlier, or asks whether it is well now, asks here.
/// </summary>
public interface IDatabaseStarter
{
    /// <summary>Ends when the database answers, is durable and has the newest schema; fails when the start failed.</summary>
    Task WhenReadyAsync(CancellationToken cancellationToken);

    /// <summary>Asks the database for a sign of life, within two seconds. Null when it is well; else <c>database_unavailable</c>.</summary>
    ValueTask<Problem?> CheckAsync(CancellationToken cancellationToken);
}
