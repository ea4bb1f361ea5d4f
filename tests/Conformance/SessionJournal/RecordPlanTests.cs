using System.Text.Json;
using Coordinator.Adapters.Postgres.Journal;
using Coordinator.Ports;
using Coordinator.Tests.Conformance.Postgres;
using Coordinator.Tests.Support;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionJournal;

/// <summary>
/// Where there are many organizations, a planner takes what an organization and a session have in common for one row. What looks at some
/// records of a long session must not read all of them for it.
/// </summary>
public sealed class RecordPlanTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private const int Records = 3_000;
    private const int Few = 60;

    /// <summary>Every fiftieth, so that they are no range.</summary>
    private static readonly string Versions = Array("bigint", i => $"{50 * i}");
    private static readonly string Payloads = Array("bytea", _ => "'{}'");

    private readonly Guid organization = OrganizationId.New(TimeProvider.System).Value;
    private readonly Guid session = SessionId.New(TimeProvider.System).Value;

    [Theory]
    [InlineData("force_generic_plan")]
    [InlineData("force_custom_plan")]
    public async Task A_place_is_found(string plans)
    {
        await using var sessions = await WriteAsync();
        Assert.InRange(await VisitedAsync(sessions.Shared, plans, "uuid, uuid, bigint, bigint", JournalReader.PlaceSql, $"'{organization}', '{session}', 0, {Records / 3}"), 5, Few);
    }

    [Theory]
    [InlineData("force_generic_plan")]
    [InlineData("force_custom_plan")]
    public async Task Records_are_emptied(string plans)
    {
        await using var sessions = await WriteAsync();
        Assert.InRange(await VisitedAsync(sessions.System, plans, "uuid, uuid, bigint[], bytea[]", RecordEmptying.WriteSql, $"'{organization}', '{session}', {Versions}, {Payloads}"), Few, 2 * Few);
    }

    [Theory]
    [InlineData("force_generic_plan")]
    [InlineData("force_custom_plan")]
    public async Task Records_are_compacted(string plans)
    {
        await using var sessions = await WriteAsync();
        Assert.InRange(
            await VisitedAsync(
                sessions.System,
                plans,
                "uuid, uuid, bigint, bigint, bigint, bigint, bigint[], smallint[], bytea[], bigint",
                EventCompaction.WriteSql,
                $"'{organization}', '{session}', 1, 0, 0, {Records}, {Versions}, {Array("smallint", _ => "0")}, {Payloads}, 0"),
            Few,
            2 * Few);
    }

    /// <summary>Whose work it is, is looked up once for a page.</summary>
    [Fact]
    public async Task No_record_is_asked_anew_whose_it_may_be()
    {
        await using var sessions = await WriteAsync();
        await using var connection = await sessions.Shared.OpenConnectionAsync();
        await using var command = new NpgsqlCommand($"EXPLAIN (FORMAT JSON) SELECT payload FROM session_record WHERE org = '{organization}' AND session = '{session}'", connection);
        using var plan = JsonDocument.Parse((string)(await command.ExecuteScalarAsync())!);

        var conditions = Reads(plan.RootElement[0].GetProperty("Plan")).SelectMany(Conditions).ToList();

        Assert.NotEmpty(conditions);
        Assert.DoesNotContain(conditions, condition => condition.Contains("current_setting", StringComparison.Ordinal));
    }

    private const string Record = "INSERT INTO session_record (org, session, version, epoch, first_seq, last_seq, schema, codec, payload, at)";

    private const string Columns = "v, 1, v, v, 1, 0, '{}', now()";

    private static string Array(string type, Func<int, string> item) => $"ARRAY[{string.Join(',', Enumerable.Range(1, Few).Select(item))}]::{type}[]";

    /// <summary>A long session among many of others.</summary>
    private async Task<PostgresSessions> WriteAsync()
    {
        var sessions = new PostgresSessions(postgres.ConnectionString);
        await ExecuteAsync(sessions, $"{Record} SELECT gen_random_uuid(), gen_random_uuid(), {Columns} FROM generate_series(1, 2000) AS v");
        await ExecuteAsync(sessions, $"{Record} SELECT $1, $2, {Columns} FROM generate_series(1, {Records}) AS v", organization, session);
        await ExecuteAsync(sessions, "INSERT INTO session_head (org, session, epoch, version, seq) SELECT $1, $2, 1, $3, $3", organization, session, (long)Records);
        await ExecuteAsync(sessions, "ANALYZE session_record, session_head");
        return sessions;
    }

    /// <summary>How many records the plan reads, once or again.</summary>
    private async Task<double> VisitedAsync(NpgsqlDataSource source, string plans, string types, string sql, string values)
    {
        await using var connection = await source.OpenConnectionAsync();
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new($"SELECT set_config('coordinator.organization', '{organization}', true), set_config('plan_cache_mode', '{plans}', true)"),
                new($"PREPARE looked_at ({types}) AS {sql}"),
                new($"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE looked_at ({values})"),
                new("DEALLOCATE looked_at"),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync();
        await reader.NextResultAsync();
        await reader.ReadAsync();
        using var plan = JsonDocument.Parse(reader.GetString(0));
        return Visits(plan.RootElement[0].GetProperty("Plan"));
    }

    private static double Visits(JsonElement plan) => Reads(plan).Sum(node => node.GetProperty("Actual Rows").GetDouble() * node.GetProperty("Actual Loops").GetDouble());

    /// <summary>The nodes that read records, of all of the plan.</summary>
    private static IEnumerable<JsonElement> Reads(JsonElement node)
    {
        if (node.TryGetProperty("Relation Name", out var relation) && relation.GetString() == "session_record" && node.GetProperty("Node Type").GetString() != "ModifyTable") yield return node;
        if (!node.TryGetProperty("Plans", out var parts)) yield break;
        foreach (var part in parts.EnumerateArray().SelectMany(Reads)) yield return part;
    }

    /// <summary>What is asked of each record.</summary>
    private static IEnumerable<string> Conditions(JsonElement node) =>
        node.EnumerateObject().Where(property => property.Name is "Filter" or "Index Cond" or "Recheck Cond").Select(property => property.Value.GetString()!);

    private static async Task ExecuteAsync(PostgresSessions sessions, string sql, params object[] values)
    {
        await using var command = sessions.Owner.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        await command.ExecuteNonQueryAsync();
    }
}
