using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// Counts as the schema's owner: a step of the start, as the others are. No role that works for anybody may see all organizations' secrets, and none
/// has to: of a secret nothing is read but the name of its key.
/// </summary>
internal sealed class PostgresSealingKeys(DatabaseServer server, IDatabaseStarter starter) : ISealingKeys
{
    private const string Count = "SELECT key_id, count(*) FROM secret GROUP BY key_id";

    public async ValueTask<IReadOnlyDictionary<string, long>> CountSecretsAsync(CancellationToken cancellationToken)
    {
        await starter.WhenReadyAsync(cancellationToken);
        try
        {
            await using var owner = server.CreateOwner();
            await using var command = owner.CreateCommand(Count);
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            var counts = new Dictionary<string, long>(StringComparer.Ordinal);
            while (await rows.ReadAsync(cancellationToken)) counts.Add(rows.GetString(0), rows.GetInt64(1));
            return counts;
        }
        catch (NpgsqlException failure)
        {
            throw new PortException(PortFailureKind.Unavailable, $"The database does not say which master keys its secrets are sealed under: {failure.Message}", inner: failure);
        }
    }
}
