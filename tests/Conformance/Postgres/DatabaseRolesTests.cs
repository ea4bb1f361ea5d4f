using Coordinator.Adapters.Postgres;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>The roles that hosts work under: they own nothing, are of one database, and come about at any start that has to make them.</summary>
public sealed class DatabaseRolesTests : IAsyncLifetime
{
    private const string Refused = "42501";
    private const string Password = "of-a-test";

    private readonly string name = $"roles_{PrefixedId.NewValue(TimeProvider.System):n}";
    private readonly List<string> databases = [];
    private readonly List<string> logins = [];
    private string connectionString = "";

    private DatabaseRoles Roles => DatabaseRoles.Of(name);

    public async Task InitializeAsync() => connectionString = await NewDatabaseAsync(name);

    public async Task DisposeAsync()
    {
        foreach (var database in databases) await PostgresFixture.DropDatabaseAsync(database);
        foreach (var login in logins) await PostgresFixture.ExecuteAsAdministratorAsync($"DROP ROLE {login}");
    }

    [Fact]
    public async Task Hosts_work_under_roles_that_own_nothing_and_pass_nothing_by()
    {
        await PostgresFixture.MigrateAsync(connectionString);
        await using var host = new PostgresSessions(connectionString);

        Assert.Equal(Roles.Tenants, await ScalarAsync(host.Shared, "SELECT current_user::text"));
        Assert.Equal(Roles.Host, await ScalarAsync(host.System, "SELECT current_user::text"));
        Assert.Equal(0L, await ScalarAsync(host.System, $"SELECT count(*) FROM pg_roles WHERE rolname IN ('{Roles.Tenants}', '{Roles.Host}', '{Roles.Door}') AND (rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole OR rolcreatedb)"));
        Assert.Equal(0L, await ScalarAsync(host.System, $"SELECT count(*) FROM pg_shdepend WHERE deptype = 'o' AND refobjid IN ('{Roles.Tenants}'::regrole, '{Roles.Host}'::regrole, '{Roles.Door}'::regrole)"));
        Assert.Equal(0L, await ScalarAsync(host.System, $"SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT EXISTS (SELECT FROM aclexplode(relacl) WHERE grantee = '{Roles.Host}'::regrole OR grantee = '{Roles.Tenants}'::regrole) AND relname NOT IN ('schema_migration', 'database_timeline')"));
    }

    [Fact]
    public async Task The_login_has_what_the_roles_may_only_once_it_takes_one_of_them()
    {
        await PostgresFixture.MigrateAsync(connectionString);
        await using var login = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false });

        Assert.Equal((false, false), ((bool)(await ScalarAsync(login, $"SELECT pg_has_role('{Roles.Host}', 'USAGE')"))!, (bool)(await ScalarAsync(login, $"SELECT pg_has_role('{Roles.Tenants}', 'USAGE')"))!));
    }

    [Fact]
    public async Task What_a_role_does_not_need_it_does_not_have()
    {
        await PostgresFixture.MigrateAsync(connectionString);
        await using var host = new PostgresSessions(connectionString);

        foreach (var sql in (string[])["SELECT count(*) FROM secret", "SELECT count(*) FROM run", "DELETE FROM session_record", "DELETE FROM session_head", "ALTER TABLE session_head DISABLE ROW LEVEL SECURITY", "DELETE FROM schema_migration"])
            Assert.Equal((sql, Refused), (sql, (await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(host.System, sql))).SqlState));
        foreach (var sql in (string[])["UPDATE session_head SET version = 1", "DELETE FROM run", "SELECT count(*) FROM person", "SELECT count(*) FROM personal_credential", "SELECT count(*) FROM session_host", "SELECT host_connections_end('x', 1)"])
            Assert.Equal((sql, Refused), (sql, (await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(host.Shared, sql))).SqlState));
    }

    [Fact]
    public async Task A_start_that_has_to_change_a_table_that_somebody_reads_gives_up_soon_and_nobody_stands_behind_it()
    {
        await PostgresFixture.MigrateAsync(connectionString);
        await using var owner = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await owner.OpenAsync();
        await using var begun = new NpgsqlCommand("DROP POLICY hosts ON session_head", owner);
        await begun.ExecuteNonQueryAsync();
        begun.CommandText = "BEGIN; SELECT count(*) FROM session_head";
        await begun.ExecuteNonQueryAsync();

        Assert.Equal(PostgresErrorCodes.LockNotAvailable, (await Assert.ThrowsAsync<PostgresException>(() => PostgresFixture.MigrateAsync(connectionString))).SqlState);

        await using var over = new NpgsqlCommand("ROLLBACK", owner);
        await over.ExecuteNonQueryAsync();
        await PostgresFixture.MigrateAsync(connectionString);
        begun.CommandText = "SELECT count(*) FROM pg_policy WHERE polname = 'hosts' AND polrelid = 'session_head'::regclass";
        Assert.Equal(1L, await begun.ExecuteScalarAsync());
    }

    [Fact]
    public async Task The_roles_of_one_database_are_nobody_in_another_of_the_same_server()
    {
        await PostgresFixture.MigrateAsync(connectionString);
        var other = await NewDatabaseAsync($"{name}_b");
        await PostgresFixture.MigrateAsync(other);

        await using var intruder = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(other) { Pooling = false, Options = Roles.OptionsFor(Roles.Host) });
        Assert.Equal(Refused, (await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(intruder, "SELECT count(*) FROM session_head"))).SqlState);
    }

    [Fact]
    public async Task A_copy_of_a_database_has_roles_of_its_own_and_a_start_changes_nothing_that_is_right()
    {
        await PostgresFixture.MigrateAsync(connectionString);
        var copy = await NewDatabaseAsync($"{name}_c", template: name);
        await using var host = new PostgresSessions(copy);
        var key = await WriteAsync(host);

        var before = await StateAsync(copy);
        await PostgresFixture.MigrateAsync(copy);

        Assert.Equal(before, await StateAsync(copy));
        Assert.Equal(1, (await host.Journal.FindHeadAsync(key, default))!.Version);
    }

    [Fact]
    public async Task Hosts_that_start_together_on_a_database_without_its_roles_take_turns()
    {
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => PostgresFixture.MigrateAsync(connectionString)));

        await using var host = new PostgresSessions(connectionString);
        await WriteAsync(host);
    }

    /// <summary>The release before worked as the owner. Its hosts may still run when the first of this one starts.</summary>
    [Fact]
    public async Task A_database_of_the_release_before_is_served_and_so_is_a_host_of_it_that_still_runs()
    {
        await using var before = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, Options = "-c coordinator.scope=system" });
        await new MigrationRunner(before, [.. Migration.Embedded().Where(step => step.Number < 12)], TimeProvider.System, NullLogger<MigrationRunner>.Instance).RunAsync(default);
        var key = new SessionKey(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        await ScalarAsync(before, $"INSERT INTO session_head (org, session, epoch, version, seq) VALUES ('{key.Organization.Value}', '{key.Session.Value}', 1, 1, 1)");
        await ScalarAsync(before, $"INSERT INTO session_record VALUES ('{key.Organization.Value}', '{key.Session.Value}', 1, 1, 1, 1, 1, 0, 0, 'payload', now())");

        await PostgresFixture.MigrateAsync(connectionString);
        await using var host = new PostgresSessions(connectionString);

        Assert.Equal(1L, await ScalarAsync(before, "WITH moved AS (UPDATE session_head SET version = 2, seq = 2 RETURNING *) SELECT count(*) FROM moved"));
        await ScalarAsync(before, $"INSERT INTO session_record VALUES ('{key.Organization.Value}', '{key.Session.Value}', 2, 1, 2, 2, 1, 0, 0, 'payload', now())");
        var lease = (await host.Journal.OpenAsync(key, HostId.New(TimeProvider.System), create: false, default))!;
        Assert.True(await host.Journal.AppendAsync(lease, new(lease.Version, "{}"u8.ToArray(), 1, DateTimeOffset.UnixEpoch, null, null), default));
        Assert.Equal([1L, 2L, 3L], await host.Journal.ReadAsync(key, 0, default).Select(record => record.Version).ToListAsync());
    }

    [Fact]
    public async Task A_login_that_may_not_make_the_roles_is_told_what_an_administrator_runs_and_nothing_is_changed()
    {
        var plain = await NewLoginAsync("");

        var refused = await Assert.ThrowsAsync<DatabaseStartException>(() => PostgresFixture.MigrateAsync(plain.ConnectionString));
        var script = refused.Message[refused.Message.IndexOf("CREATE ROLE", StringComparison.Ordinal)..];
        await using (var login = NpgsqlDataSource.Create(plain)) Assert.Null(await ScalarAsync(login, "SELECT to_regclass('schema_migration')::text"));

        await PostgresFixture.ExecuteAsAdministratorAsync(script);
        await PostgresFixture.MigrateAsync(plain.ConnectionString);
        await using var host = new PostgresSessions(plain.ConnectionString);
        await WriteAsync(host);
    }

    [Fact]
    public async Task A_login_that_may_make_roles_needs_nobody()
    {
        var maker = await NewLoginAsync("CREATEROLE");

        await PostgresFixture.MigrateAsync(maker.ConnectionString);

        await using var host = new PostgresSessions(maker.ConnectionString);
        await WriteAsync(host);
    }

    [Fact]
    public async Task A_role_of_that_name_that_can_log_in_is_refused()
    {
        var plain = await NewLoginAsync("");
        await PostgresFixture.ExecuteAsAdministratorAsync($"CREATE ROLE {DatabaseRoles.Of(plain.Database!).Host} LOGIN");

        var refused = await Assert.ThrowsAsync<DatabaseStartException>(() => PostgresFixture.MigrateAsync(plain.ConnectionString));

        Assert.Contains("NOLOGIN", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("coordinator", "coordinator_host_of_coordinator")]
    [InlineData("My \"database\"", "coordinator_host_of_93389631edf255897f73b7fb870f313d")]
    public void A_name_that_needs_quoting_or_is_long_is_named_by_its_hash(string database, string role)
    {
        Assert.Equal(role, DatabaseRoles.Of(database).Host);
        Assert.True(DatabaseRoles.Of(new string('x', 63)).Tenants.Length <= 63);
    }

    private async Task<string> NewDatabaseAsync(string database, string? template = null)
    {
        databases.Add(database);
        return await PostgresFixture.CreateDatabaseAsync(database, template);
    }

    /// <summary>A login of its own, with an empty database of its own whose roles nobody has made.</summary>
    private async Task<NpgsqlConnectionStringBuilder> NewLoginAsync(string may)
    {
        var (login, database) = ($"login_{PrefixedId.NewValue(TimeProvider.System):n}", $"{name}_l");
        await NewDatabaseAsync(database);
        logins.Add(login);
        var roles = DatabaseRoles.Of(database);
        await PostgresFixture.ExecuteAsAdministratorAsync($"DROP ROLE {roles.Door}, {roles.Tenants}, {roles.Host}; CREATE ROLE {login} LOGIN PASSWORD '{Password}' {may}");
        await PostgresFixture.ExecuteAsAdministratorAsync($"ALTER DATABASE {database} OWNER TO {login}");
        return new(connectionString) { Database = database, Username = login, Password = Password, Pooling = false };
    }

    private static async Task<SessionKey> WriteAsync(PostgresSessions host)
    {
        var key = new SessionKey(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        var lease = (await host.Journal.OpenAsync(key, HostId.New(TimeProvider.System), create: true, default))!;
        Assert.True(await host.Journal.AppendAsync(lease, new(0, "{}"u8.ToArray(), 1, DateTimeOffset.UnixEpoch, null, "view"u8.ToArray()), default));
        return key;
    }

    /// <summary>What a start could have written: the rows of the catalog that say who may do what, with who wrote them.</summary>
    private static async Task<string> StateAsync(string database)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database) { Pooling = false });
        return (string)(await ScalarAsync(source, """
            SELECT concat_ws(E'\n',
                (SELECT string_agg(concat_ws(' ', relname, xmin, relacl), E'\n' ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'),
                (SELECT string_agg(concat_ws(' ', polrelid, polname, xmin, polroles), E'\n' ORDER BY polrelid, polname) FROM pg_policy))
            """))!;
    }

    private static async Task<object?> ScalarAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync() is var answer and not DBNull ? answer : null;
    }
}
