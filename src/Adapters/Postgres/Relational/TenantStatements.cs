using Coordinator.Ports;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// Hand-written SQL for what every request needs: the scope and the statements go to the server together, in one round
/// trip and one transaction.
/// </summary>
internal sealed class TenantStatements(NpgsqlDataSource dataSource, TimeProvider time)
{
    /// <summary>How long a read outlasts a database that is away: an embedded server that was killed is back within a second.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly DatabasePatience patience = new(dataSource, Patience, time);

    /// <summary>Reads, each statement one result set; made again while the database is briefly away.</summary>
    public async ValueTask<T> ReadAsync<T>(TenantScope scope, string doing, IReadOnlyList<Statement> statements, Func<NpgsqlDataReader, CancellationToken, Task<T>> read, CancellationToken cancellationToken) =>
        await patience.RunAsync(doing, ct => RunAsync(scope, statements, read, ct), cancellationToken);

    /// <summary>Changes something, and reads what the statements return: each is one result set. Made once.</summary>
    public async ValueTask<T> WriteAsync<T>(TenantScope scope, string doing, IReadOnlyList<Statement> statements, Func<NpgsqlDataReader, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        try
        {
            return await RunAsync(scope, statements, read, cancellationToken);
        }
        catch (Exception failure) when (RelationalFailure.Translate(failure, doing, committing: true) is { } translated)
        {
            DatabaseFailure.LeaveIfReadOnly(dataSource, translated.InnerException);
            throw translated;
        }
    }

    private async Task<T> RunAsync<T>(TenantScope scope, IReadOnlyList<Statement> statements, Func<NpgsqlDataReader, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        await using var batch = dataSource.CreateBatch();
        batch.BatchCommands.Add(Command(scope.Statement));
        foreach (var statement in statements) batch.BatchCommands.Add(Command(statement));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        var answer = await read(reader, cancellationToken);

        // An error of a statement that was not read yet, or of the commit, shows only when everything has been taken.
        while (await reader.NextResultAsync(cancellationToken))
        {
        }

        return answer;
    }

    private static NpgsqlBatchCommand Command(Statement statement)
    {
        var command = new NpgsqlBatchCommand(statement.Sql);
        foreach (var value in statement.Parameters) command.Parameters.Add(new() { Value = value });
        return command;
    }
}

/// <summary>One statement with the values of $1, $2, …</summary>
internal sealed record Statement(string Sql, params object[] Parameters);
