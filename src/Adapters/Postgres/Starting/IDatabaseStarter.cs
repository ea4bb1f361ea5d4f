namespace Coordinator.Adapters.Postgres;

/// <summary>For what must wait for the database without failing in the meantime, such as a sweep that starts with the host.</summary>
internal interface IDatabaseStarter
{
    /// <summary>Ends when the database answers, is durable and has the newest schema.</summary>
    Task WhenReadyAsync(CancellationToken cancellationToken);
}
