using System.Net.Sockets;
using Coordinator.Ports;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>Says in the ports' words how PostgreSQL, or the way to it, failed. One table for every adapter of this project.</summary>
internal static class PostgresFailures
{
    /// <summary>
    /// The port failure that <paramref name="failure"/> is, or null when it is none (a programming error, a
    /// cancellation). <paramref name="effectUnknown"/>: a commit was under way, so that a lost connection leaves its
    /// outcome open.
    /// </summary>
    public static PortException? Translate(Exception failure, bool effectUnknown) => failure switch
    {
        PortException known => known,
        PostgresException refused => new(KindOf(refused.SqlState), $"PostgreSQL refused: {refused.SqlState} {refused.MessageText}", effectUnknown && EndsConnection(refused.SqlState), inner: failure),
        TimeoutException => new(PortFailureKind.Timeout, "PostgreSQL did not answer in time.", effectUnknown, inner: failure),
        NpgsqlException { InnerException: { } inner } when Translate(inner, effectUnknown) is { } cause => cause,
        NpgsqlException or SocketException or IOException or ObjectDisposedException => new(PortFailureKind.Unavailable, "PostgreSQL cannot be reached.", effectUnknown, inner: failure),
        OperationCanceledException => null,
        { InnerException: { } inner } => Translate(inner, effectUnknown),
        _ => null,
    };

    /// <summary>Chooses by the class of the SQLSTATE (its first two characters), and by the code where a class is mixed.</summary>
    private static PortFailureKind KindOf(string state) => state switch
    {
        PostgresErrorCodes.DiskFull => PortFailureKind.Full,
        PostgresErrorCodes.TooManyConnections => PortFailureKind.Limited,
        PostgresErrorCodes.QueryCanceled => PortFailureKind.Timeout,
        PostgresErrorCodes.LockNotAvailable => PortFailureKind.Timeout,
        _ => state[..2] switch
        {
            "28" => PortFailureKind.Unauthorized,
            "22" or "23" or "42" or "54" => PortFailureKind.Rejected,
            "XX" => PortFailureKind.Corrupt,
            _ => PortFailureKind.Unavailable,
        },
    };

    private static bool EndsConnection(string state) => state.StartsWith("57P", StringComparison.Ordinal) || state.StartsWith("08", StringComparison.Ordinal);
}
