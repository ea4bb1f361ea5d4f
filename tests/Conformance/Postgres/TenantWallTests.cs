using Coordinator.Ports;
using Coordinator.Tests.Support;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>
/// The second wall: whatever a query forgets to say, another tenant's rows are not there. Every table that the catalog has is
/// tried, as the owner of the tables and as a role that owns nothing; a new one without a policy, or without a row here, is red.
/// </summary>
public sealed class TenantWallTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>, IAsyncLifetime
{
    private const string Refused = "42501";

    /// <summary>Tables that belong to no organization, and why that is so.</summary>
    private static readonly IReadOnlyDictionary<string, string> OfNobody = new Dictionary<string, string>
    {
        ["person"] = "people are members of several organizations",
        ["personal_credential"] = "a person signs in before it is known for which organization",
        ["schema_migration"] = "the schema's steps",
        ["session_host"] = "the hosts; a policy of its own lets nobody but them see it",
    };

    private readonly string stranger = $"stranger_{PrefixedId.NewValue(TimeProvider.System):n}";
    private readonly Guid acme = OrganizationId.New(TimeProvider.System).Value;
    private readonly Guid other = OrganizationId.New(TimeProvider.System).Value;

    /// <summary>One row of each table, of the organization <c>{0}</c>.</summary>
    private const string Rows = """
        INSERT INTO person VALUES (gen_random_uuid(), 'Ada', now()) ON CONFLICT DO NOTHING;
        INSERT INTO organization VALUES ('{0}', 'Acme', now());
        INSERT INTO membership SELECT '{0}', id, 'owner', now() FROM person LIMIT 1;
        INSERT INTO api_key SELECT '{0}', gen_random_uuid(), sha256('{0}'), 'hint', 'name', id, 'owner', now() FROM person LIMIT 1;
        INSERT INTO secret VALUES ('{0}', 'models/acme', '1', 'sealed', 'hint', now());
        INSERT INTO idempotent_request VALUES ('{0}', 'scope', 'key', 'hash', now());
        INSERT INTO session_head (org, session, epoch) VALUES ('{0}', '{0}', 1);
        INSERT INTO session_view VALUES ('{0}', '{0}', 'view');
        INSERT INTO session_record VALUES ('{0}', '{0}', 1, 1, 1, 1, 1, 0, 0, 'payload', now());
        INSERT INTO session_snapshot VALUES ('{0}', '{0}', 1, 1, 'shape', 'state');
        INSERT INTO session_environment VALUES ('{0}', '{0}', sha256('{0}'), now(), 'environment');
        INSERT INTO feed_topic VALUES ('{0}', 'topic', 1, 0);
        INSERT INTO feed_entry VALUES ('{0}', 'topic', 1, 'document', 1, 'payload', sha256('payload'), now());
        INSERT INTO feed_document VALUES ('{0}', 'topic', 'document', 1);
        INSERT INTO run VALUES ('{0}', gen_random_uuid(), '{0}', 1, gen_random_uuid(), 1, 'user', 'usr_1', 'Ada', 'm', 'a', gen_random_uuid(), 1, 'local', 'completed', NULL, 'm', 0, 0, 0, 0, 0, 0, now(), now(), now(), 1, 1, 'digest', 'previous', 'hash');
        """;

    public async Task InitializeAsync()
    {
        await AsAdministratorAsync($"CREATE ROLE {stranger} NOLOGIN NOBYPASSRLS; GRANT {stranger} TO {new NpgsqlConnectionStringBuilder(postgres.ConnectionString).Username}");
        await using var connection = await ConnectAsync("-c coordinator.scope=system");
        await ExecuteAsync(connection, $"GRANT ALL ON ALL TABLES IN SCHEMA public TO {stranger}");
        foreach (var organization in new[] { acme, other }) await ExecuteAsync(connection, Rows.Replace("{0}", organization.ToString(), StringComparison.Ordinal));
    }

    public async Task DisposeAsync()
    {
        await using (var connection = await ConnectAsync("-c coordinator.scope=system")) await ExecuteAsync(connection, $"DROP OWNED BY {stranger}");
        await AsAdministratorAsync($"DROP ROLE {stranger}");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_row_of_another_tenant_can_be_seen_changed_removed_or_made(bool owningNothing)
    {
        foreach (var table in await TenantTablesAsync())
        {
            Assert.True(await CountAsync(table, acme, owningNothing) > 0, $"{table}: its own organization sees no row of it. Add one to the rows of this test.");
            await using var connection = await ConnectAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await BecomeAsync(connection, other, owningNothing);

            Assert.Equal((table, 0L), (table, await CountAsync(connection, $"SELECT count(*) FROM {table} WHERE org <> '{other}'")));
            Assert.Equal((table, 0), (table, await ExecuteAsync(connection, $"UPDATE {table} SET org = org WHERE org <> '{other}'")));
            Assert.Equal((table, 0), (table, await ExecuteAsync(connection, $"DELETE FROM {table} WHERE org <> '{other}'")));
            var made = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(connection, $"INSERT INTO {table} SELECT (json_populate_record(NULL::{table}, (to_jsonb(own) || '{{\"org\": \"{acme}\"}}')::json)).* FROM {table} AS own LIMIT 1"));
            Assert.Equal((table, Refused), (table, made.SqlState));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_a_tenant_there_is_no_row_at_all_and_none_can_be_given_to_another(bool owningNothing)
    {
        foreach (var table in await TenantTablesAsync())
        {
            Assert.Equal((table, 0L), (table, await CountAsync(table, null, owningNothing)));
            await using var connection = await ConnectAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await BecomeAsync(connection, other, owningNothing);
            var given = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(connection, $"UPDATE {table} SET org = '{acme}'"));
            Assert.Equal((table, Refused), (table, given.SqlState));
        }
    }

    [Fact]
    public async Task The_tenant_of_one_transaction_is_not_that_of_the_next_on_the_same_connection()
    {
        await using var connection = await ConnectAsync();
        await using (var first = await connection.BeginTransactionAsync())
        {
            await BecomeAsync(connection, acme, owningNothing: false);
            await first.CommitAsync();
        }

        Assert.Equal(0, await CountAsync(connection, "SELECT count(*) FROM session_head"));
    }

    [Fact]
    public async Task Every_table_belongs_to_organizations_or_says_here_why_it_belongs_to_none()
    {
        await using var connection = await ConnectAsync();
        var without = await NamesAsync(connection, """
            SELECT relname FROM pg_class AS class WHERE relkind IN ('r', 'p', 'm', 'v', 'f') AND relnamespace = 'public'::regnamespace
              AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = class.oid AND attname = 'org' AND NOT attisdropped) ORDER BY relname
            """);

        Assert.Equal(OfNobody.Keys.Order(StringComparer.Ordinal), without);
    }

    /// <summary>The wall is shown to be what stops them: a table without its policy lets a stranger through.</summary>
    [Fact]
    public async Task Without_its_policy_a_table_is_found_out()
    {
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync(); // never committed
        await ExecuteAsync(connection, "ALTER TABLE secret DISABLE ROW LEVEL SECURITY");
        await BecomeAsync(connection, other, owningNothing: true);

        Assert.True(await CountAsync(connection, $"SELECT count(*) FROM secret WHERE org <> '{other}'") > 0);
    }

    private async Task<List<string>> TenantTablesAsync()
    {
        await using var connection = await ConnectAsync();
        var tables = await NamesAsync(connection, """
            SELECT class.relname FROM pg_class AS class JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attname = 'org' AND NOT attribute.attisdropped
            WHERE class.relkind IN ('r', 'p', 'm', 'v', 'f') AND class.relnamespace = 'public'::regnamespace ORDER BY class.relname
            """);
        Assert.NotEmpty(tables);
        return tables;
    }

    private async Task<long> CountAsync(string table, Guid? organization, bool owningNothing)
    {
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await BecomeAsync(connection, organization, owningNothing);
        return await CountAsync(connection, $"SELECT count(*) FROM {table}");
    }

    /// <summary>For the rest of the transaction, as every call of a host says it.</summary>
    private async Task BecomeAsync(NpgsqlConnection connection, Guid? organization, bool owningNothing)
    {
        if (owningNothing) await ExecuteAsync(connection, $"SET LOCAL ROLE {stranger}");
        if (organization is { } named) await ExecuteAsync(connection, $"SELECT set_config('coordinator.organization', '{named}', true)");
    }

    private async Task<NpgsqlConnection> ConnectAsync(string options = "")
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Pooling = false, Options = options }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    private static async Task AsAdministratorAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder((await PostgresTestServer.GetAsync()).Administrator) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await ExecuteAsync(connection, sql);
    }

    private static async Task<int> ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteNonQueryAsync();
    }

    private static async Task<long> CountAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static async Task<List<string>> NamesAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var names = new List<string>();
        while (await reader.ReadAsync()) names.Add(reader.GetString(0));
        return names;
    }
}
