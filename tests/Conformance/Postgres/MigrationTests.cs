using Coordinator.Adapters.Postgres;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>The schema's steps: once each, in order, and never something else than what was applied.</summary>
public sealed class MigrationTests : IAsyncLifetime
{
    private readonly string name = $"test_{Coordinator.Ports.PrefixedId.NewValue(TimeProvider.System):n}";
    private NpgsqlDataSource? source;

    public async Task InitializeAsync() => source = NpgsqlDataSource.Create(await PostgresFixture.CreateDatabaseAsync(name));

    public async Task DisposeAsync()
    {
        await source!.DisposeAsync();
        await PostgresFixture.DropDatabaseAsync(name);
    }

    [Fact]
    public async Task The_embedded_steps_are_applied_once()
    {
        var steps = Migration.Embedded();

        Assert.Equal(steps.Count, await RunAsync(steps));
        Assert.Equal(0, await RunAsync(steps));
        Assert.Equal("0001_sessions.sql", steps[0].Name);
    }

    [Fact]
    public async Task What_somebody_waits_for_is_packed_by_the_faster_way_where_the_server_has_it()
    {
        await RunAsync(Migration.Embedded());

        await using var command = source!.CreateCommand(
            """
            SELECT (SELECT count(*) FROM pg_attribute WHERE attcompression = 'l' AND (attrelid::regclass::text, attname) IN (('session_record', 'payload'), ('session_view', 'view'), ('session_snapshot', 'state'))),
                   (SELECT 'lz4' = ANY(enumvals) FROM pg_settings WHERE name = 'default_toast_compression')
            """);
        await using var row = await command.ExecuteReaderAsync();
        await row.ReadAsync();
        Assert.Equal(row.GetBoolean(1) ? 3 : 0, row.GetInt64(0));
    }

    [Fact]
    public async Task Hosts_that_start_together_take_turns()
    {
        var steps = Migration.Embedded();

        var applied = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => RunAsync(steps)));

        Assert.Equal(steps.Count, applied.Sum());
    }

    [Fact]
    public async Task A_step_that_somebody_stands_in_the_way_of_lets_the_work_behind_it_pass_and_is_made_later()
    {
        List<Migration> steps = [Migration.Parse("0001_first.sql", "CREATE TABLE first (id int)"), Migration.Parse("0002_second.sql", "ALTER TABLE first ADD COLUMN more int")];
        await RunAsync(steps[..1]);
        await using var backup = await source!.OpenConnectionAsync();
        await using var reading = await backup.BeginTransactionAsync();
        await ExecuteAsync(backup, "SELECT * FROM first");

        var waiting = RunAsync(steps);
        await EmbeddedServerFolder.UntilAsync("the step waits", IsWaitedForAsync);
        await using var host = await source.OpenConnectionAsync();
        await ExecuteAsync(host, "INSERT INTO first VALUES (1)"); // behind the step, and before the backup is over

        Assert.True(DatabaseFailure.MayPass(await Assert.ThrowsAsync<PostgresException>(() => waiting)));
        await reading.CommitAsync();
        Assert.Equal(1, await RunAsync(steps));
    }

    [Fact]
    public async Task A_changed_step_is_an_error_that_names_its_file()
    {
        await RunAsync([Migration.Parse("0001_first.sql", "CREATE TABLE first (id int)")]);

        var failure = await Assert.ThrowsAsync<MigrationException>(() => RunAsync([Migration.Parse("0001_first.sql", "CREATE TABLE first (id bigint)")]));

        Assert.Contains("0001_first.sql", failure.Message, StringComparison.Ordinal);
        Assert.Contains("never changed", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("abc")]
    public async Task A_checksum_that_somebody_spoiled_is_an_error_that_names_its_step(string spoiled)
    {
        Migration[] steps = [Migration.Parse("0001_first.sql", "CREATE TABLE first (id int)")];
        await RunAsync(steps);
        await using (var connection = await source!.OpenConnectionAsync()) await ExecuteAsync(connection, $"UPDATE schema_migration SET checksum = '{spoiled}'");

        var failure = await Assert.ThrowsAsync<MigrationException>(() => RunAsync(steps));

        Assert.Contains("0001_first.sql", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_line_ends_are_no_change()
    {
        await RunAsync([Migration.Parse("0001_first.sql", "CREATE TABLE first (\n id int)")]);

        Assert.Equal(0, await RunAsync([Migration.Parse("0001_first.sql", "\uFEFFCREATE TABLE first (\r\n id int)")]));
    }

    [Fact]
    public async Task A_schema_of_a_newer_release_is_an_error()
    {
        await RunAsync([Migration.Parse("0001_first.sql", "SELECT 1"), Migration.Parse("0002_second.sql", "SELECT 2")]);

        var failure = await Assert.ThrowsAsync<MigrationException>(() => RunAsync([Migration.Parse("0001_first.sql", "SELECT 1")]));

        Assert.Contains("0002_second.sql", failure.Message, StringComparison.Ordinal);
        Assert.Contains("newer release", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_step_below_an_applied_one_is_an_error()
    {
        await RunAsync([Migration.Parse("0002_second.sql", "SELECT 2")]);

        var failure = await Assert.ThrowsAsync<MigrationException>(() => RunAsync([Migration.Parse("0001_first.sql", "SELECT 1"), Migration.Parse("0002_second.sql", "SELECT 2")]));

        Assert.Contains("0001_first.sql", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_step_that_fails_leaves_nothing_of_itself_and_keeps_those_before_it()
    {
        var failure = await Assert.ThrowsAsync<MigrationException>(() => RunAsync(
        [
            Migration.Parse("0001_first.sql", "CREATE TABLE first (id int)"),
            Migration.Parse("0002_second.sql", "CREATE TABLE second (id int); SELECT no_such_function()"),
        ]));

        Assert.Contains("0002_second.sql", failure.Message, StringComparison.Ordinal);
        Assert.True(await ExistsAsync("first"));
        Assert.False(await ExistsAsync("second"));
        Assert.Equal(1, await RunAsync([Migration.Parse("0001_first.sql", "CREATE TABLE first (id int)"), Migration.Parse("0002_second.sql", "CREATE TABLE second (id int)")]));
    }

    [Fact]
    public async Task Two_steps_of_one_number_are_an_error()
    {
        var failure = await Assert.ThrowsAsync<MigrationException>(() => RunAsync([Migration.Parse("0001_first.sql", "SELECT 1"), Migration.Parse("0001_other.sql", "SELECT 2")]));

        Assert.Contains("0001_other.sql", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1_first.sql")]
    [InlineData("0001_First.sql")]
    [InlineData("0001_first.txt")]
    public void A_name_of_another_form_is_refused(string fileName) => Assert.Throws<FormatException>(() => Migration.Parse(fileName, ""));

    private Task<int> RunAsync(IReadOnlyList<Migration> steps) =>
        new MigrationRunner(source!, steps, TimeProvider.System, NullLogger<MigrationRunner>.Instance).RunAsync(CancellationToken.None);

    private async Task<bool> IsWaitedForAsync()
    {
        await using var command = source!.CreateCommand("SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'first'::regclass AND NOT granted)");
        return (bool)(await command.ExecuteScalarAsync())!;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<bool> ExistsAsync(string table)
    {
        await using var command = source!.CreateCommand("SELECT to_regclass($1) IS NOT NULL");
        command.Parameters.Add(new() { Value = table });
        return await command.ExecuteScalarAsync() is true;
    }
}
