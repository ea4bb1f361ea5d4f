using Coordinator.Adapters.Postgres;
using Coordinator.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>The EF models are written by hand beside SQL migrations written by hand; this keeps the two the same.</summary>
public sealed class ModelMatchesSchemaTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    [Fact]
    public async Task Every_mapped_table_has_exactly_the_columns_of_its_model()
    {
        var schema = await ColumnsOfSchemaAsync();

        foreach (var entity in MappedEntities())
        {
            var table = entity.GetTableName()!;
            var modelled = entity.GetProperties().Select(property => new Column(table, property.GetColumnName(), property.GetColumnType(), property.IsColumnNullable()));
            Assert.Equal(Lines(schema.Where(column => column.Table == table)), Lines(modelled));
        }
    }

    [Fact]
    public async Task Every_mapped_table_has_the_primary_key_of_its_model()
    {
        const string Sql = """
            SELECT string_agg(attribute.attname, ', ' ORDER BY array_position(index.indkey::int[], attribute.attnum::int))
            FROM pg_index index JOIN pg_attribute attribute ON attribute.attrelid = index.indrelid AND attribute.attnum = ANY (index.indkey)
            WHERE index.indisprimary AND index.indrelid = to_regclass($1)
            """;
        foreach (var entity in MappedEntities())
        {
            await using var command = postgres.DataSource.CreateCommand(Sql);
            command.Parameters.Add(new() { Value = entity.GetTableName()! });
            Assert.Equal($"{entity.GetTableName()}: {await command.ExecuteScalarAsync()}", $"{entity.GetTableName()}: {string.Join(", ", entity.FindPrimaryKey()!.Properties.Select(property => property.GetColumnName()))}");
        }
    }

    [Fact]
    public async Task Every_table_with_an_organization_is_behind_forced_row_level_security()
    {
        const string Sql = """
            SELECT class.relname FROM pg_class class JOIN pg_attribute attribute ON attribute.attrelid = class.oid AND attribute.attname = 'org' AND NOT attribute.attisdropped
            WHERE class.relkind = 'r' AND class.relnamespace = 'public'::regnamespace
              AND NOT (class.relrowsecurity AND class.relforcerowsecurity AND EXISTS (SELECT FROM pg_policy WHERE polrelid = class.oid))
            """;
        Assert.Empty(await NamesAsync(Sql));
    }

    [Fact]
    public async Task A_connection_that_names_no_organization_sees_no_tenants_rows()
    {
        await new TenantDirectory.PostgresDirectoryHarness(postgres).AddOrganizationAsync("Acme");

        Assert.Empty(await NamesAsync("SELECT name FROM organization"));
        Assert.Contains("Acme", await NamesAsync("SELECT name FROM organization", asOwner: true));
    }

    private static IEnumerable<IEntityType> MappedEntities() =>
        [.. Model<DirectoryContext>(options => new(options)).GetEntityTypes(), .. Model<RunContext>(options => new(options)).GetEntityTypes()];

    private static IModel Model<TContext>(Func<DbContextOptions<TContext>, TContext> create)
        where TContext : DbContext
    {
        using var context = create(new DbContextOptionsBuilder<TContext>().UseNpgsql().Options);
        return context.Model;
    }

    private async Task<List<Column>> ColumnsOfSchemaAsync()
    {
        const string Sql = """
            SELECT class.relname, attribute.attname, format_type(attribute.atttypid, attribute.atttypmod), NOT attribute.attnotnull
            FROM pg_attribute attribute JOIN pg_class class ON class.oid = attribute.attrelid
            WHERE class.relkind = 'r' AND class.relnamespace = 'public'::regnamespace AND attribute.attnum > 0 AND NOT attribute.attisdropped
            """;
        await using var command = postgres.DataSource.CreateCommand(Sql);
        await using var reader = await command.ExecuteReaderAsync();
        var columns = new List<Column>();
        while (await reader.ReadAsync()) columns.Add(new(reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetBoolean(3)));
        return columns;
    }

    private async Task<List<string>> NamesAsync(string sql, bool asOwner = false)
    {
        await using var command = (asOwner ? postgres.Owner : postgres.DataSource).CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var names = new List<string>();
        while (await reader.ReadAsync()) names.Add(reader.GetString(0));
        return names;
    }

    private static string Lines(IEnumerable<Column> columns) => string.Join('\n', columns.Select(column => column.ToString()).Order(StringComparer.Ordinal));

    private sealed record Column(string Table, string Name, string Type, bool Nullable)
    {
        public override string ToString() => $"{Table}.{Name} {Canonical} {(Nullable ? "null" : "not null")}";

        private string Canonical => Type == "timestamp with time zone" ? "timestamptz" : Type;
    }
}
