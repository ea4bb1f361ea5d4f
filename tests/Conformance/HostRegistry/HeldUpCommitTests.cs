using Coordinator.Tests.Conformance.Postgres;
using Coordinator.Tests.Support;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.HostRegistry;

public sealed class HeldUpCommitTests
{
    private static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(48);

    [Fact]
    public async Task A_host_goes_on_being_heard_while_nothing_comes_to_be_durable()
    {
        await using var postgres = await OwnPostgresServer.StartAsync();
        await using var process = new PostgresSessions(postgres.ConnectionString, TimeProvider.System, ("Hosts:TimeToLive", TimeToLive.ToString()));
        await using var host = await process.Hosts.RegisterAsync(new(new("http://127.0.0.1:1")), default);
        await postgres.HoldUpCommitsAsync();
        var last = await ScalarAsync(process.Owner, "SELECT clock_timestamp()");

        await Eventually.HoldsAsync(async () => await ScalarAsync(process.Owner, "SELECT max(beat) > $1 + $2 FROM session_host", last!, TimeToLive / 8) is true, "one beat after another");

        Assert.Null(host.Loss);
    }

    private static async Task<object?> ScalarAsync(NpgsqlDataSource source, string sql, params object[] values)
    {
        await using var command = source.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        return await command.ExecuteScalarAsync();
    }
}
