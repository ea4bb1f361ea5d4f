using Coordinator.Ports;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>What a failure of PostgreSQL or of the way to it means to a port's caller.</summary>
internal static class DatabaseFailure
{
    /// <summary>True when the database or the way to it failed, and not the program.</summary>
    public static bool IsOne(Exception failure) => failure is NpgsqlException or IOException or TimeoutException or System.Net.Sockets.SocketException || IsNonsense(failure);

    /// <summary>
    /// True when what the server answered makes no sense to the driver, which then stops with an exception of its own making: of no type
    /// at all when the answer is one that belongs elsewhere.
    /// </summary>
    private static bool IsNonsense(Exception failure) => failure.Source == "Npgsql" && (failure.GetType() == typeof(Exception) || failure is InvalidOperationException and not ObjectDisposedException);

    /// <summary>
    /// True when the server itself said that the statement was rolled back. After a FATAL or a broken connection nobody
    /// said anything of the statement.
    /// </summary>
    public static bool WasRolledBack(PostgresException failure) => failure.InvariantSeverity == "ERROR";

    /// <summary>True when the statement's data was refused: classes 22 (data), 23 (constraint), 54 (too large).</summary>
    public static bool IsOfData(PostgresException failure) => failure.SqlState.StartsWith("22", StringComparison.Ordinal)
        || failure.SqlState.StartsWith("23", StringComparison.Ordinal)
        || failure.SqlState.StartsWith("54", StringComparison.Ordinal);

    /// <summary>True when the statement met another one and lost: the same again may pass.</summary>
    public static bool IsOfContention(PostgresException failure) => failure.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.LockNotAvailable;

    /// <summary>True when the statement waited for a lock for as long as it may, which somebody else still has.</summary>
    public static bool IsOfLock(Exception failure) => failure is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable };

    /// <summary>
    /// True when the statement was refused for how it fares with the server, whatever it was to write: it lost against another, the server takes no
    /// writes, is out of something (class 53), was told to stop it (57) or fails itself (58). Any other refusal may be one row's own trouble, as is a
    /// lock that somebody has.
    /// </summary>
    public static bool IsOfServer(PostgresException failure) => (IsOfContention(failure) && !IsOfLock(failure)) || IsReadOnly(failure)
        || failure.SqlState.StartsWith("53", StringComparison.Ordinal)
        || failure.SqlState.StartsWith("57", StringComparison.Ordinal)
        || failure.SqlState.StartsWith("58", StringComparison.Ordinal);

    /// <summary>True when the server lets nobody in with this user and password (class 28), or has no such database.</summary>
    public static bool IsOfLogin(PostgresException failure) => failure.SqlState == PostgresErrorCodes.InvalidCatalogName || failure.SqlState.StartsWith("28", StringComparison.Ordinal);

    /// <summary>True when the statement itself was refused: for how it is written, what it names, or what its role may do (class 42).</summary>
    public static bool IsOfStatement(PostgresException failure) => failure.SqlState.StartsWith("42", StringComparison.Ordinal);

    /// <summary>True when the server's disk has no room: also for what a process of the server keeps when it begins, which it says without a code of its own.</summary>
    public static bool IsOfRoom(PostgresException failure) => failure.SqlState == PostgresErrorCodes.DiskFull
        || (failure.SqlState == PostgresErrorCodes.InternalError && failure.MessageText.StartsWith("could not write init file", StringComparison.Ordinal));

    /// <summary>True when the server takes no writes: it is a standby by now, or was made read-only.</summary>
    public static bool IsReadOnly(Exception? failure) => failure is PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction };

    /// <summary>
    /// Lets go of every connection to a server that takes no writes: another may lead to one that does, while this one
    /// would be used for ever. Those in use follow when they are given back.
    /// </summary>
    public static void LeaveIfReadOnly(NpgsqlDataSource source, Exception? failure)
    {
        if (IsReadOnly(failure)) source.Clear();
    }

    /// <summary>True when the same call, made again, may pass without anybody doing anything.</summary>
    public static bool MayPass(Exception failure) => failure switch
    {
        PostgresException refused => refused.IsTransient || IsOfContention(refused) || IsReadOnly(refused) || !WasRolledBack(refused),
        _ => IsOne(failure) && !IsNonsense(failure),
    };

    /// <summary>The port's exception for it. Never holds a row or a value.</summary>
    public static PortException ToPort(Exception failure, string doing, bool effectMayHaveHappened = false)
    {
        var (kind, why) = failure switch
        {
            PostgresException refused when IsOfRoom(refused) => (PortFailureKind.Full, $"there is no room on its disk: {refused.SqlState} {refused.MessageText}"),
            PostgresException refused => (Kind(refused), $"{refused.SqlState} {refused.MessageText}"),
            NpgsqlException { InnerException: TimeoutException } or TimeoutException => (PortFailureKind.Timeout, "it did not answer in time"),
            _ when IsNonsense(failure) => (PortFailureKind.Corrupt, "it answered what makes no sense"),
            _ => (PortFailureKind.Unavailable, failure.Message),
        };
        return new(kind, $"The database failed while {doing}: {why}", effectMayHaveHappened, inner: failure) { IsDefect = failure is PostgresException met && IsOfStatement(met) };
    }

    private static PortFailureKind Kind(PostgresException refused) => refused.SqlState switch
    {
        PostgresErrorCodes.QueryCanceled => PortFailureKind.Timeout,
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification or PostgresErrorCodes.InsufficientPrivilege => PortFailureKind.Unauthorized,
        _ when IsOfData(refused) => PortFailureKind.Rejected,
        _ => PortFailureKind.Unavailable,
    };
}
