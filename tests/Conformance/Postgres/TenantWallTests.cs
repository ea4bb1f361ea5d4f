using Coordinator.Adapters.Postgres;
using Coordinator.Ports;
using Coordinator.Tests.Support;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>
/// The second wall: whatever a query forgets to say, another tenant's rows are not there. Every table that the catalog has is
/// tried, through the pool that hosts do tenants' work with, whose role owns nothing, and as the owner of the tables; a new one without a policy, or
/// without a row here, is red.
/// </summary>
public sealed class TenantWallTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>, IAsyncLifetime
{
    private const string Refused = "42501";

    /// <summary>Tables that belong to no organization, and why that is so.</summary>
    private static readonly IReadOnlyDictionary<string, string> OfNobody = new Dictionary<string, string>
    {
        ["database_timeline"] = "where the database is; its owner alone sees it",
        ["person"] = "people are members of several organizations",
        ["personal_credential"] = "a person signs in before it is known for which organization",
        ["schema_migration"] = "the schema's steps",
        ["session_host"] = "the hosts; a policy of its own lets nobody but them see it",
    };

    private readonly Guid acme = OrganizationId.New(TimeProvider.System).Value;
    private readonly Guid other = OrganizationId.New(TimeProvider.System).Value;
    private NpgsqlDataSource? login;

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
        INSERT INTO event_archive VALUES ('{0}', '{0}', 1, 2, 1, 'sha256', 1, 1, now());
        INSERT INTO event_archive_pending VALUES ('{0}', '{0}', 'sha256', false, now());
        INSERT INTO feed_topic VALUES ('{0}', 'topic', 1, 0);
        INSERT INTO feed_entry VALUES ('{0}', 'topic', 1, 'document', 1, 'payload', sha256('payload'), now());
        INSERT INTO feed_document VALUES ('{0}', 'topic', 'document', 1);
        INSERT INTO run VALUES ('{0}', gen_random_uuid(), '{0}', 1, gen_random_uuid(), 1, 'user', 'usr_1', 'Ada', 'm', 'a', gen_random_uuid(), 1, 'local', 'completed', NULL, 'm', 0, 0, 0, 0, 0, 0, now(), now(), now(), 1, 1, 'digest', 'previous', 'hash');
        """;

    public async Task InitializeAsync()
    {
        login = NpgsqlDataSource.Create(postgres.ConnectionString);
        foreach (var organization in new[] { acme, other })
        {
            await using var rows = postgres.Owner.CreateCommand(Rows.Replace("{0}", organization.ToString(), StringComparison.Ordinal));
            await rows.ExecuteNonQueryAsync();
        }
    }

    public async Task DisposeAsync() => await login!.DisposeAsync();

    [Theory]
    [InlineData(As.Tenants)]
    [InlineData(As.Owner)]
    public async Task No_row_of_another_tenant_can_be_seen_changed_removed_or_made(As role)
    {
        foreach (var table in await TenantTablesAsync())
        {
            var sees = await MayAsync(role, table, "SELECT");
            if (sees) Assert.True(await CountAsync(role, other, $"SELECT count(*) FROM {table}") > 0, $"{table}: its own organization sees no row of it. Add one to the rows of this test.");
            Assert.Equal((table, sees ? 0 : null), (table, await CountAsync(role, other, $"SELECT count(*) FROM {table} WHERE org <> '{other}'")));
            Assert.Equal((table, await MayAsync(role, table, "UPDATE") ? 0 : null), (table, await TryAsync(role, other, $"UPDATE {table} SET org = org WHERE org <> '{other}'")));
            Assert.Equal((table, await MayAsync(role, table, "DELETE") ? 0 : null), (table, await TryAsync(role, other, $"DELETE FROM {table} WHERE org <> '{other}'")));
            Assert.Equal((table, null), (table, await TryAsync(role, other, $"INSERT INTO {table} SELECT (json_populate_record(NULL::{table}, (to_jsonb(own) || '{{\"org\": \"{acme}\"}}')::json)).* FROM {table} AS own LIMIT 1")));
        }
    }

    [Theory]
    [InlineData(As.Tenants)]
    [InlineData(As.Owner)]
    public async Task Without_a_tenant_there_is_no_row_at_all_and_none_can_be_given_to_another(As role)
    {
        foreach (var table in await TenantTablesAsync())
        {
            Assert.Equal((table, await MayAsync(role, table, "SELECT") ? 0 : null), (table, await CountAsync(role, null, $"SELECT count(*) FROM {table}")));
            Assert.Equal((table, null), (table, await TryAsync(role, other, $"UPDATE {table} SET org = '{acme}'")));
        }
    }

    /// <summary>What only the owner of the schema may say of itself is nothing to the role that tenants' work is done under.</summary>
    [Fact]
    public async Task Tenants_work_cannot_say_that_it_is_the_systems()
    {
        foreach (var table in await TenantTablesAsync())
        {
            if (await MayAsync(As.Tenants, table, "SELECT")) Assert.Equal((table, 0), (table, await CountAsync(As.Tenants, other, $"SELECT count(*) FROM {table} WHERE org <> '{other}'", saying: true)));
        }
    }

    [Fact]
    public async Task The_tenant_of_one_transaction_is_not_that_of_the_next_on_the_same_connection()
    {
        await using var connection = await postgres.DataSource.OpenConnectionAsync();
        await using (var first = await connection.BeginTransactionAsync())
        {
            await ExecuteAsync(connection, Named(acme));
            await first.CommitAsync();
        }

        Assert.Equal(0L, await ScalarAsync(connection, "SELECT count(*) FROM session_head"));
    }

    [Fact]
    public async Task Every_table_belongs_to_organizations_or_says_here_why_it_belongs_to_none()
    {
        var without = await NamesAsync("""
            SELECT relname FROM pg_class AS class WHERE relkind IN ('r', 'p', 'm', 'v', 'f') AND relnamespace = 'public'::regnamespace
              AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = class.oid AND attname = 'org' AND NOT attisdropped) ORDER BY relname
            """);

        Assert.Equal(OfNobody.Keys.Order(StringComparer.Ordinal), without);
    }

    /// <summary>The wall is shown to be what stops them: a table that loses a policy, or all of them, lets a stranger through.</summary>
    [Theory]
    [InlineData("DROP POLICY tenants ON {0}", true)]
    [InlineData("ALTER TABLE {0} DISABLE ROW LEVEL SECURITY", false)]
    public async Task Without_its_policy_a_table_is_found_out(string takenAway, bool saying)
    {
        foreach (var table in await TenantTablesAsync())
        {
            if (!await MayAsync(As.Tenants, table, "SELECT")) continue;
            await using var connection = await postgres.Owner.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync(); // never committed
            await ExecuteAsync(connection, takenAway.Replace("{0}", table, StringComparison.Ordinal));
            await ExecuteAsync(connection, $"SET LOCAL ROLE {Roles.Tenants}; SET LOCAL coordinator.scope = '{(saying ? "system" : "")}'; {Named(other)}");

            Assert.True((long)(await ScalarAsync(connection, $"SELECT count(*) FROM {table} WHERE org <> '{other}'"))! > 0, table);
        }
    }

    private DatabaseRoles Roles => DatabaseRoles.Of(new NpgsqlConnectionStringBuilder(postgres.ConnectionString).Database!);

    private Task<List<string>> TenantTablesAsync() => NamesAsync("""
        SELECT class.relname FROM pg_class AS class JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attname = 'org' AND NOT attribute.attisdropped
        WHERE class.relkind IN ('r', 'p', 'm', 'v', 'f') AND class.relnamespace = 'public'::regnamespace ORDER BY class.relname
        """);

    private async Task<bool> MayAsync(As role, string table, string privilege)
    {
        await using var connection = await ConnectAsync(role);
        return await ScalarAsync(connection, $"SELECT has_table_privilege(current_user, '{table}', '{privilege}')") is true;
    }

    /// <summary>What is counted, in a transaction of its own that names the organization; null: refused.</summary>
    private Task<int?> CountAsync(As role, Guid? organization, string sql, bool saying = false) =>
        InAsync(role, organization, saying, async connection => (int)(long)(await ScalarAsync(connection, sql))!);

    /// <summary>How many rows were touched, in the same way; nothing of it stays.</summary>
    private Task<int?> TryAsync(As role, Guid? organization, string sql) => InAsync(role, organization, saying: false, connection => ExecuteAsync(connection, sql));

    private async Task<int?> InAsync(As role, Guid? organization, bool saying, Func<NpgsqlConnection, Task<int>> work)
    {
        await using var connection = await ConnectAsync(role);
        await using var transaction = await connection.BeginTransactionAsync();
        if (organization is { } named) await ExecuteAsync(connection, Named(named));
        if (saying) await ExecuteAsync(connection, "SELECT set_config('coordinator.scope', 'system', true)");
        try
        {
            return await work(connection);
        }
        catch (PostgresException refused) when (refused.SqlState == Refused)
        {
            return null;
        }
    }

    private async Task<NpgsqlConnection> ConnectAsync(As role) => await (role == As.Tenants ? postgres.DataSource : login!).OpenConnectionAsync();

    /// <summary>As every call of a host says it.</summary>
    private static string Named(Guid organization) => $"SELECT set_config('coordinator.organization', '{organization}', true)";

    private static async Task<int> ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteNonQueryAsync();
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    private async Task<List<string>> NamesAsync(string sql)
    {
        await using var command = postgres.Owner.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var names = new List<string>();
        while (await reader.ReadAsync()) names.Add(reader.GetString(0));
        Assert.NotEmpty(names);
        return names;
    }

    /// <summary>Who tries: the pool that hosts do tenants' work with, or the login that owns the tables.</summary>
    public enum As
    {
        Tenants,
        Owner,
    }
}
