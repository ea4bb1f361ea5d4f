using Coordinator.Ports;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>Finds the database's failure inside what EF Core wraps around it.</summary>
internal static class RelationalFailure
{
    /// <summary>
    /// The port failure that <paramref name="failure"/> is, or null when it is none (a programming error, a
    /// cancellation). <paramref name="committing"/>: a commit was under way, so that its outcome is open unless the server
    /// itself said that it failed.
    /// </summary>
    public static PortException? Translate(Exception failure, string doing, bool committing) => failure switch
    {
        PortException known => known,
        PostgresException refused => DatabaseFailure.ToPort(refused, doing, committing && !DatabaseFailure.WasRolledBack(refused)),
        ObjectDisposedException => DatabaseFailure.ToPort(failure, doing, committing),
        OperationCanceledException => null,
        _ when DatabaseFailure.IsOne(failure) => DatabaseFailure.ToPort(failure, doing, committing),
        { InnerException: { } inner } => Translate(inner, doing, committing),
        _ => null,
    };
}
