using Npgsql;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>
/// The prepared statement that writes appends on one connection, each fenced by its own epoch and version, so that a session
/// which is not written leaves its neighbours as they are. A writer has one in flight.
/// </summary>
internal sealed class AppendStatement : IAsyncDisposable
{
    private readonly GroupAppend group;
    private readonly LoneAppend lone;

    private AppendStatement(NpgsqlConnection connection, TimeSpan timeout)
    {
        group = new(connection, timeout);
        lone = new(connection, timeout);
    }

    public static async Task<AppendStatement> PrepareAsync(NpgsqlConnection connection, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var statement = new AppendStatement(connection, timeout);
        await statement.group.PrepareAsync(cancellationToken);
        await statement.lone.PrepareAsync(cancellationToken);
        return statement;
    }

    /// <summary>Writes the appends and gives how many of them were written: the rest is fenced or stale.</summary>
    public async Task<int> ExecuteAsync(IReadOnlyList<PendingAppend> appends)
    {
        var command = appends is [var single] && LoneAppend.Takes(single) ? lone.Fill(single) : group.Fill(appends);
        try
        {
            return await command.ExecuteNonQueryAsync() is >= 0 and var written ? written : throw new NpgsqlException("The server does not say how many records it wrote.");
        }
        finally
        {
            // Payloads are the callers': not to be held until the next append.
            lone.Clear();
            group.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await group.DisposeAsync();
        await lone.DisposeAsync();
    }
}
