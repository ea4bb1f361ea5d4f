using Coordinator.Ports;
using Npgsql;

namespace Coordinator.Tests.Support;

/// <summary>Looks into the hosts' database from outside, and takes hold of it as no host would.</summary>
public sealed class JournalWatch(string connectionString) : IAsyncDisposable
{
    private readonly NpgsqlDataSource source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { Options = "-c coordinator.scope=system", ApplicationName = "watch" }.ConnectionString);

    /// <summary>The address of the host whose the session is; null when it is nobody's.</summary>
    public async Task<Uri?> OwnerAsync(string session) =>
        await ScalarAsync("SELECT host.address FROM session_head AS head JOIN session_host AS host ON host.id = head.host WHERE head.session = $1", Id(session)) is string address ? new(address) : null;

    /// <summary>The ids under which the host at this address has registered, the newest last.</summary>
    public async Task<IReadOnlyList<Guid>> IdsAsync(Uri address)
    {
        await using var command = source.CreateCommand("SELECT id FROM session_host WHERE address = $1 ORDER BY lock");
        command.Parameters.Add(new() { Value = address.AbsoluteUri });
        await using var row = await command.ExecuteReaderAsync();
        List<Guid> ids = [];
        while (await row.ReadAsync()) ids.Add(row.GetGuid(0));
        return ids;
    }

    /// <summary>True while nobody has the session open and nothing is due in it.</summary>
    public async Task<bool> IsAsleepAsync(string session) => await ScalarAsync("SELECT host IS NULL AND wake_at IS NULL FROM session_head WHERE session = $1", Id(session)) is true;

    /// <summary>How many of these sessions were looked through to the end for text to merge, and nothing came since.</summary>
    public async Task<int> MergedAsync(IEnumerable<string> sessions) => await ScalarAsync("SELECT count(*)::int FROM session_head WHERE session = ANY ($1) AND compacted = version", sessions.Select(Id).ToArray()) is int merged ? merged : 0;

    /// <summary>When the session is to be woken, as its last append said.</summary>
    public async Task<DateTime> WakeAtAsync(string session) => await ScalarAsync("SELECT wake_at FROM session_head WHERE session = $1", Id(session)) is DateTime at ? at : throw new InvalidOperationException("It is to sleep for ever.");

    /// <summary>True while that time is to come, by the database's clock.</summary>
    public async Task<bool> IsToComeAsync(DateTime at) => await ScalarAsync("SELECT $1 > now()", at) is true;

    /// <summary>True once a peer has found it dead.</summary>
    public async Task<bool> IsDeadAsync(Guid host) => await ScalarAsync("SELECT dead FROM session_host WHERE id = $1", host) is not false;

    /// <summary>True while its peers take it for a living host.</summary>
    public async Task<bool> IsAliveAsync(Guid host) => await ScalarAsync("SELECT host_alive(host) FROM session_host AS host WHERE id = $1", host) is true;

    /// <summary>Ends the connection that holds the host's lock.</summary>
    public async Task CutLockAsync(Guid host)
    {
        var ended = await ScalarAsync(
            """
            SELECT pg_terminate_backend(held.pid) FROM session_host AS host
            JOIN pg_locks AS held ON held.locktype = 'advisory' AND held.classid = host_lock_class()::oid AND held.objid = host.lock::oid
            WHERE host.id = $1 AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """,
            host);
        if (ended is not true) throw new InvalidOperationException("The host held no lock.");
    }

    /// <summary>Holds the session's row, so that whoever writes it waits, until it is disposed.</summary>
    public async Task<HeldSession> HoldAsync(string session)
    {
        var connection = await source.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        await using var hold = new NpgsqlCommand("SELECT FROM session_head WHERE session = $1 FOR UPDATE", connection, transaction);
        hold.Parameters.Add(new() { Value = Id(session) });
        await hold.ExecuteNonQueryAsync();
        return new(connection, transaction);
    }

    /// <summary>True while some statement waits for the row that <see cref="HoldAsync"/> holds.</summary>
    public async Task<bool> SomebodyWaitsAsync(HeldSession held) => await ScalarAsync("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))", held.ProcessId) is true;

    /// <summary>What is wrong with the session's records by themselves; empty when they are one unbroken log of at least so many events.</summary>
    public async Task<IReadOnlyList<string>> FlawsAsync(string session, long events = 0)
    {
        await using var command = source.CreateCommand("SELECT version, first_seq, last_seq, epoch FROM session_record WHERE session = $1 ORDER BY version");
        command.Parameters.Add(new() { Value = Id(session) });
        await using var row = await command.ExecuteReaderAsync();
        var (version, seq, epoch) = (0L, 0L, 0L);
        List<string> flaws = [];
        while (await row.ReadAsync())
        {
            if (row.GetInt64(0) != version + 1) flaws.Add($"record {row.GetInt64(0)} follows {version}");
            if (row.GetInt64(1) != seq + 1) flaws.Add($"event {row.GetInt64(1)} follows {seq}");
            if (row.GetInt64(3) < epoch) flaws.Add($"record {row.GetInt64(0)} of epoch {row.GetInt64(3)} follows one of {epoch}");
            (version, seq, epoch) = (row.GetInt64(0), row.GetInt64(2), row.GetInt64(3));
        }

        if (seq < events) flaws.Add($"the records end at event {seq}, and {events} were shown");
        return flaws;
    }

    public ValueTask DisposeAsync() => source.DisposeAsync();

    private static Guid Id(string session) => PrefixedId.TryParse("ses", session, out var id) ? id : throw new FormatException($"Not a session: {session}");

    private async Task<object?> ScalarAsync(string sql, object parameter)
    {
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = parameter });
        return await command.ExecuteScalarAsync();
    }
}

/// <summary>A session's row in somebody's hands.</summary>
public sealed class HeldSession(NpgsqlConnection connection, NpgsqlTransaction transaction) : IAsyncDisposable
{
    public int ProcessId => connection.ProcessID;

    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await connection.DisposeAsync();
    }
}
