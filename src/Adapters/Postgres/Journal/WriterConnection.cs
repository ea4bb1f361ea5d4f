using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>
/// A connection with the append statement prepared, and the identity of the server process behind it: when an answer is
/// lost, that very process must be gone before the head is believed.
/// </summary>
internal sealed class WriterConnection : IAsyncDisposable
{
    private readonly NpgsqlConnection connection;

    private WriterConnection(NpgsqlConnection connection, AppendStatement statement, ServerProcess process) =>
        (this.connection, Statement, Process) = (connection, statement, process);

    public AppendStatement Statement { get; }

    public ServerProcess Process { get; }

    public bool IsOpen => connection.FullState == System.Data.ConnectionState.Open;

    public static async Task<WriterConnection> OpenAsync(NpgsqlDataSource source, JournalOptions options, CancellationToken cancellationToken)
    {
        var connection = await source.OpenConnectionAsync(cancellationToken);
        try
        {
            var process = await ServerProcess.OfAsync(connection, cancellationToken);
            var statement = await AppendStatement.PrepareAsync(connection, options.StatementTimeout, cancellationToken);
            // Once it is prepared, which waits for a table that is locked; and for as long as the pool's connection is the writer's: its reset takes it back.
            await using var bounded = new NpgsqlCommand(string.Create(CultureInfo.InvariantCulture, $"SET lock_timeout = '{options.RowPatience.TotalMilliseconds:0}ms'"), connection);
            await bounded.ExecuteNonQueryAsync(cancellationToken);
            return new(connection, statement, process);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Marks those of the group whose heads nobody holds, without waiting for any.</summary>
    public async Task FindFreeAsync(IReadOnlyList<PendingAppend> group, bool[] free)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT w.position FROM unnest($1, $2) WITH ORDINALITY AS w (org, session, position)
            JOIN session_head AS h ON h.org = w.org AND h.session = w.session
            FOR NO KEY UPDATE OF h SKIP LOCKED
            """,
            connection)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid[]> { TypedValue = [.. group.Select(pending => pending.Lease.Key.Organization.Value)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid },
                new NpgsqlParameter<Guid[]> { TypedValue = [.. group.Select(pending => pending.Lease.Key.Session.Value)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid },
            },
        };
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync()) free[(int)reader.GetInt64(0) - 1] = true;
    }

    public async ValueTask DisposeAsync()
    {
        await Statement.DisposeAsync();
        await connection.DisposeAsync();
    }
}

/// <summary>A server process: its number is used again, so its start tells it from a later one.</summary>
internal readonly record struct ServerProcess(int Number, DateTime StartedAt)
{
    private const int TerminationTimeoutMilliseconds = 2_000;

    public static async Task<ServerProcess> OfAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT pg_backend_pid(), host_connection_began()", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new(reader.GetInt32(0), reader.GetDateTime(1));
    }

    /// <summary>Ends it, through another connection, and returns when it is gone; throws <see cref="TimeoutException"/> when it stays.</summary>
    public async Task EndAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT host_connection_end($1, $2, $3)", connection)
        {
            Parameters = { new() { Value = Number }, new() { Value = StartedAt }, new() { Value = (long)TerminationTimeoutMilliseconds } },
        };
        if (await command.ExecuteScalarAsync(cancellationToken) is false) throw new TimeoutException($"The server process {Number} does not end.");
    }
}
