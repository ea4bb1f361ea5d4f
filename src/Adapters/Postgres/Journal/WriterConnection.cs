using Npgsql;

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

    public static async Task<WriterConnection> OpenAsync(NpgsqlDataSource source, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var connection = await source.OpenConnectionAsync(cancellationToken);
        try
        {
            var process = await ServerProcess.OfAsync(connection, cancellationToken);
            return new(connection, await AppendStatement.PrepareAsync(connection, timeout, cancellationToken), process);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
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
