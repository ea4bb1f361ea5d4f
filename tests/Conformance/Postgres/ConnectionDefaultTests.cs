using Coordinator.Adapters.Postgres;
using Coordinator.Ports;
using Coordinator.Tests.Support;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>What a connection string leaves open is the host's to choose, and nothing else is.</summary>
public sealed class ConnectionDefaultTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private const string Plain = "Host=127.0.0.1;Database=coordinator;Username=coordinator";

    [Fact]
    public void What_a_connection_string_does_not_say_is_the_hosts_own()
    {
        var chosen = Connection(Plain);

        Assert.Equal(("coordinator", 20, 50, 60, 1, true), (chosen.ApplicationName, chosen.MaxPoolSize, chosen.MaxAutoPrepare, chosen.ConnectionIdleLifetime, chosen.HostRecheckSeconds, chosen.NoResetOnClose));
    }

    [Fact]
    public void A_connection_over_a_network_asks_whether_its_other_end_is_there_and_one_of_this_machine_need_not()
    {
        var (far, near, said) = (Connection(Plain), Connection(Plain.Replace("127.0.0.1", "/run/postgresql", StringComparison.Ordinal)), Connection($"{Plain};TCP Keepalive=false;TCP Keepalive Time=60"));

        Assert.Equal((true, 10, 10), (far.TcpKeepAlive, far.TcpKeepAliveTime, far.TcpKeepAliveInterval));
        Assert.False(near.TcpKeepAlive);
        Assert.Equal((false, 60), (said.TcpKeepAlive, said.TcpKeepAliveTime));
    }

    [Fact]
    public async Task The_server_asks_whether_a_host_is_there_that_holds_rows_over_a_network()
    {
        var (far, near) = (new DatabaseServer(new DatabaseOptions { ConnectionString = Plain }, embedded: null), new DatabaseServer(new DatabaseOptions { ConnectionString = Plain.Replace("127.0.0.1", "/run/postgresql", StringComparison.Ordinal) }, embedded: null));
        await using var farSystem = far.CreateSystem(TimeProvider.System);
        await using var farShared = far.CreateShared();
        await using var nearSystem = near.CreateSystem(TimeProvider.System);
        await using var nearShared = near.CreateShared();

        Assert.All([farSystem.Source, farShared], source => Assert.Contains("tcp_keepalives_idle=10", source.ConnectionString, StringComparison.Ordinal));
        Assert.All([nearSystem.Source, nearShared], source => Assert.DoesNotContain("tcp_keepalives", source.ConnectionString, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_host_that_froze_has_locked_for_a_tenant_or_with_a_session_that_sleeps_is_let_go()
    {
        await using var sessions = new PostgresSessions(postgres.ConnectionString);
        Assert.Equal(("1min", "1min"), (await AskAsync(sessions.Shared, "idle_in_transaction_session_timeout"), await AskAsync(sessions.System, "idle_in_transaction_session_timeout")));
    }

    [Fact]
    public void What_it_says_is_kept()
    {
        var chosen = Connection($"{Plain};ApplicationName=mine;Maximum Pool Size=7;Max Auto Prepare=0;Connection Idle Lifetime=300;Host Recheck Seconds=9;No Reset On Close=false");

        Assert.Equal(("mine", 7, 0, 300, 9, false), (chosen.ApplicationName, chosen.MaxPoolSize, chosen.MaxAutoPrepare, chosen.ConnectionIdleLifetime, chosen.HostRecheckSeconds, chosen.NoResetOnClose));
    }

    [Fact]
    public async Task Each_process_has_a_name_of_its_own_to_the_server()
    {
        var server = new DatabaseServer(new DatabaseOptions { ConnectionString = Plain }, embedded: null);
        await using var one = server.CreateSystem(TimeProvider.System);
        await using var other = server.CreateSystem(TimeProvider.System);

        Assert.NotEqual(one.Name, other.Name);
        Assert.StartsWith("coordinator ", one.Name, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_statement_is_compiled_whatever_the_server_does_by_default()
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Pooling = false });
        await using (var compiles = source.CreateCommand($"ALTER DATABASE {new NpgsqlConnectionStringBuilder(postgres.ConnectionString).Database} SET jit = on")) await compiles.ExecuteNonQueryAsync();
        Assert.Equal("on", await AskAsync(source));

        await using var sessions = new PostgresSessions(postgres.ConnectionString);

        Assert.Equal(("off", "off"), (await AskAsync(sessions.Shared), await AskAsync(sessions.System)));
    }

    /// <summary>The server is not asked to forget what was said over a connection, so nothing may be said for longer than a transaction.</summary>
    [Fact]
    public async Task A_tenant_and_a_role_that_were_named_end_with_their_transaction_however_it_ends()
    {
        await using var sessions = new PostgresSessions($"{postgres.ConnectionString};Maximum Pool Size=1");
        var before = await StandingAsync(sessions.Shared);
        await using (var left = await sessions.Shared.OpenConnectionAsync())
        {
            await left.BeginTransactionAsync(); // and nobody ends it
            await using var naming = new NpgsqlCommand($"SELECT set_config('coordinator.organization', '{PrefixedId.NewValue(TimeProvider.System)}', true), set_config('role', current_setting('coordinator.host_role'), true)", left);
            await naming.ExecuteNonQueryAsync();
            await using var role = new NpgsqlCommand("SELECT current_user::text", left);
            Assert.NotEqual(before.Role, await role.ExecuteScalarAsync());
        }

        Assert.Equal(before, await StandingAsync(sessions.Shared));
    }

    private static async Task<(int Process, string Role, string Organization)> StandingAsync(NpgsqlDataSource source)
    {
        await using var ask = source.CreateCommand("SELECT pg_backend_pid(), current_user::text, coalesce(nullif(current_setting('coordinator.organization', true), ''), 'none')");
        await using var row = await ask.ExecuteReaderAsync();
        await row.ReadAsync();
        return (row.GetInt32(0), row.GetString(1), row.GetString(2));
    }

    private static async Task<string?> AskAsync(NpgsqlDataSource source, string setting = "jit")
    {
        await using var ask = source.CreateCommand($"SHOW {setting}");
        return (string?)await ask.ExecuteScalarAsync();
    }

    private static NpgsqlConnectionStringBuilder Connection(string connectionString)
    {
        using var source = new DatabaseServer(new DatabaseOptions { ConnectionString = connectionString }, embedded: null).CreateShared();
        return new(source.ConnectionString);
    }
}
