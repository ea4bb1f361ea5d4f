using System.Net;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Network;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>The database's bad days, as the callers of a whole host see them: told what it is, nothing half done, and over by itself.</summary>
public sealed class DatabaseBadDayTests : IAsyncLifetime
{
    private readonly PostgresFixture database = new();
    private FaultProxy? proxy;

    private FaultProxy Way => proxy!;

    private string ThroughProxy => new NpgsqlConnectionStringBuilder(Way.Through(database.ConnectionString)) { Timeout = 2, CommandTimeout = 5 }.ConnectionString;

    public async Task InitializeAsync()
    {
        await database.InitializeAsync();
        proxy = PostgresBehindProxy.Before(database.ConnectionString);
    }

    public async Task DisposeAsync()
    {
        await Way.DisposeAsync();
        await database.DisposeAsync();
    }

    [Fact]
    public async Task Down_at_the_start_the_host_says_what_is_missing_and_serves_when_it_is_there()
    {
        Way.Refuse();
        await using var host = await HostOnDatabase.StartAsync(ThroughProxy);

        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("/health")).Status);
        var ready = await host.GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.Status);
        var missing = Assert.Single(JsonDocument.Parse(ready.Body).RootElement.GetProperty("dependencies").EnumerateArray(), one => one.GetProperty("required").GetBoolean() && !one.GetProperty("ready").GetBoolean());
        Assert.Equal("database", missing.GetProperty("name").GetString());
        Assert.NotEmpty(missing.GetProperty("reason").GetString()!);
        var refused = await host.GetAsync("/v1/sessions");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "host_starting", true), (refused.Status, refused.Code, refused.RetryAfter > TimeSpan.Zero));

        Way.Heal();

        await HostOnDatabase.UntilAsync(HttpStatusCode.Unauthorized, () => host.GetAsync("/v1/sessions")); // served, and no key was shown
        await HostOnDatabase.UntilAsync(HttpStatusCode.OK, () => host.GetAsync("/health/ready"));
    }

    [Theory]
    [InlineData("no_such_database", null, "3D000")]
    [InlineData(null, "nobody_known", "28")]
    public async Task A_login_or_a_database_that_is_not_there_is_named_to_who_asks_whether_the_host_is_ready(string? name, string? user, string code)
    {
        var wrong = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        (wrong.Database, wrong.Username) = (name ?? wrong.Database, user ?? wrong.Username);
        await using var host = await HostOnDatabase.StartAsync(wrong.ConnectionString);

        var said = "";
        await Eventually.HoldsAsync(async () => (said = (await host.GetAsync("/health/ready")).Body).Contains("does not let the host in", StringComparison.Ordinal), "that it is named", () => said);

        Assert.Contains(code, said, StringComparison.Ordinal);
        Assert.Contains("Check the user, the password and the database of Database:ConnectionString", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Away_in_the_moment_the_host_has_started_the_sign_in_link_is_made_when_it_is_back_and_the_host_goes_on()
    {
        await ExecuteAsync("""
            CREATE SEQUENCE refused;
            CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN PERFORM nextval('refused'); RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; END $$;
            CREATE TRIGGER no_room BEFORE INSERT ON organization FOR EACH ROW EXECUTE FUNCTION no_room();
            """);
        await using var host = await HostOnDatabase.StartAsync(ThroughProxy);
        await Eventually.HoldsAsync(async () => await AskAsync("SELECT is_called FROM refused") is true, "that the link was refused");

        await ExecuteAsync("DROP TRIGGER no_room ON organization");

        await Eventually.HoldsAsync(async () => await AskAsync("SELECT count(*) FROM organization") is 1L, "that the link is made");
        await HostOnDatabase.UntilAsync(HttpStatusCode.OK, () => host.GetAsync("/health/ready"));
    }

    [Fact]
    public async Task Taking_no_writes_at_the_start_it_is_waited_for_and_not_called_misconfigured()
    {
        await ExecuteAsync($"ALTER DATABASE {Name} SET default_transaction_read_only = on");
        await using var host = await HostOnDatabase.StartAsync(ThroughProxy);
        Assert.Equal("host_starting", (await host.GetAsync("/v1/sessions")).Code);
        await EmbeddedServerFolder.UntilAsync("the host has tried", () => Way.Accepted > 0);

        await ExecuteAsync($"ALTER DATABASE {Name} RESET default_transaction_read_only");

        await HostOnDatabase.UntilAsync(HttpStatusCode.Unauthorized, () => host.GetAsync("/v1/sessions"));
    }

    [Fact]
    public async Task Away_while_it_serves_callers_are_told_to_come_again_and_are_served_when_it_is_back()
    {
        await using var host = await ServingAsync();

        Way.Refuse();
        foreach (var told in new[] { await host.GetAsync("/v1/sessions"), await host.CreateSessionAsync("away") })
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "dependency_unavailable", true), (told.Status, told.Code, told.RetryAfter > TimeSpan.Zero));
        await EmbeddedServerFolder.UntilAsync("it is said to be away", async () => (await host.GetAsync("/health/ready")).Status == HttpStatusCode.ServiceUnavailable);
        Way.Heal();

        await HostOnDatabase.UntilAsync(HttpStatusCode.Created, () => host.CreateSessionAsync("away"));
        await HostOnDatabase.UntilAsync(HttpStatusCode.OK, () => host.GetAsync("/health/ready"));
        Assert.Equal(1, await SessionsAsync(host));
    }

    [Fact]
    public async Task Its_disk_full_nothing_is_half_written_and_it_is_written_to_again_when_there_is_room()
    {
        await using var host = await ServingAsync();
        Assert.Equal(HttpStatusCode.Created, (await host.CreateSessionAsync("before")).Status);

        // A real server that is out of room says just this of a statement: 53100, and the statement is undone.
        await ExecuteAsync("""
            CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
            CREATE TRIGGER no_room BEFORE INSERT ON session_record FOR EACH ROW EXECUTE FUNCTION no_room();
            """);
        var told = await host.CreateSessionAsync("full");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "dependency_unavailable", true), (told.Status, told.Code, told.RetryAfter > TimeSpan.Zero));
        Assert.Equal(1, await SessionsAsync(host)); // reading goes on
        var ready = default(Answer);
        await EmbeddedServerFolder.UntilAsync("it is said to have no room", async () => (ready = await host.GetAsync("/health/ready")).Status == HttpStatusCode.ServiceUnavailable);
        Assert.Contains("no room on its disk", ready.Body, StringComparison.Ordinal);
        await ExecuteAsync("DROP TRIGGER no_room ON session_record");

        await HostOnDatabase.UntilAsync(HttpStatusCode.Created, () => host.CreateSessionAsync("full"));
        await HostOnDatabase.UntilAsync(HttpStatusCode.OK, () => host.GetAsync("/health/ready"));
        Assert.Equal(2, await SessionsAsync(host));
    }

    [Fact]
    public async Task Its_connections_all_taken_callers_are_told_to_come_again_and_what_they_ask_for_is_done_once_when_there_is_one()
    {
        await using var host = await ServingAsync("--Database:MaxPoolSize=2");
        var session = await HostOnDatabase.SessionAsync(() => host.CreateSessionAsync("before"));
        var pool = (NpgsqlDataSource)host.Services.GetService(typeof(NpgsqlDataSource))!;
        var taken = new List<NpgsqlConnection>();
        for (var number = 0; number < 2; number++) taken.Add(await pool.OpenConnectionAsync());

        var told = await Task.WhenAll(host.GetAsync("/v1/sessions"), host.PromptAsync(session, "hello", "exhausted"));
        foreach (var connection in taken) await connection.DisposeAsync();

        Assert.All(told, answer => Assert.Equal((HttpStatusCode.ServiceUnavailable, "dependency_unavailable", true), (answer.Status, answer.Code, answer.RetryAfter > TimeSpan.Zero)));
        await HostOnDatabase.UntilAsync(HttpStatusCode.OK, () => host.GetAsync("/v1/sessions"));
        var accepted = await HostOnDatabase.UntilAsync(HttpStatusCode.Accepted, () => host.PromptAsync(session, "hello", "exhausted"));
        var again = await HostOnDatabase.UntilAsync(HttpStatusCode.Accepted, () => host.PromptAsync(session, "hello", "exhausted"));
        Assert.Equal(accepted.Body, again.Body);
        Assert.Single(await host.EventsAsync(session), e => e == "message.queued");
    }

    [Fact]
    public async Task A_server_that_does_not_say_where_it_is_is_served_from_all_the_same()
    {
        await PostgresFixture.ExecuteAsAdministratorAsync("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC", new NpgsqlConnectionStringBuilder(database.ConnectionString).Database);

        await using var host = await ServingAsync();

        await HostOnDatabase.UntilAsync(HttpStatusCode.OK, () => host.GetAsync("/v1/sessions"));
    }

    [Fact]
    public async Task Of_a_newer_release_the_host_ends_with_the_code_that_says_not_to_start_it_again()
    {
        await ExecuteAsync("INSERT INTO schema_migration (number, name, checksum, elapsed_ms) VALUES (9999, '9999_later.sql', repeat('0', 64), 0)");

        Assert.Equal(78, await HostOnDatabase.RunAsync(ThroughProxy));
    }

    [Theory]
    [InlineData]
    [InlineData("--Cluster:Address=http://127.0.0.1:1")]
    public async Task Of_a_newer_release_the_host_is_none_to_its_peers_and_wakes_nobody_before_it_ends(params string[] more)
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var newer = new PostgresSessions(database.ConnectionString);
        var key = new SessionKey(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        var lease = (await newer.Journal.OpenAsync(key, HostId.New(TimeProvider.System), create: true, default))!;
        Assert.True(await newer.Journal.AppendAsync(lease, new(0, "{}"u8.ToArray(), 1, now, now, null), default));
        await newer.Journal.ReleaseAsync(lease, default);
        await ExecuteAsync("INSERT INTO schema_migration (number, name, checksum, elapsed_ms) VALUES (9999, '9999_later.sql', repeat('0', 64), 0)");

        await using var look = newer.Owner.CreateCommand("SELECT (SELECT count(*) FROM session_host) || ' hosts, ' || head::text FROM session_head AS head");
        var before = await look.ExecuteScalarAsync();

        Assert.Equal(78, await HostOnDatabase.RunAsync(database.ConnectionString, more));

        Assert.StartsWith("0 hosts", before as string, StringComparison.Ordinal);
        Assert.Equal(before, await look.ExecuteScalarAsync());
    }

    private string Name => new NpgsqlConnectionStringBuilder(database.ConnectionString).Database!;

    private async Task<HostOnDatabase> ServingAsync(params string[] more)
    {
        var host = await HostOnDatabase.StartAsync(ThroughProxy, more);
        await HostOnDatabase.UntilAsync(HttpStatusCode.OK, () => host.GetAsync("/health/ready"));
        await host.SignInAsync();
        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("/v1/sessions")).Status);
        return host;
    }

    private static async Task<int> SessionsAsync(HostOnDatabase host) =>
        JsonDocument.Parse((await HostOnDatabase.UntilAsync(HttpStatusCode.OK, () => host.GetAsync("/v1/sessions"))).Body).RootElement.GetProperty("items").GetArrayLength();

    private async Task ExecuteAsync(string sql) => await AskAsync(sql);

    private async Task<object?> AskAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false, Options = "-c coordinator.scope=system -c default_transaction_read_only=off" }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
