using Coordinator.Adapters.Postgres;
using Coordinator.Adapters.Postgres.Backup;
using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>A copy of the database is the database of one moment; restored, it says that it went back, and never the same twice.</summary>
public sealed class DatabaseBackupTests : IAsyncLifetime
{
    private const string Topic = "sessions";

    private readonly List<string> databases = [];
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"coordinator-backup-{PrefixedId.NewValue(TimeProvider.System):n}");
    private readonly OrganizationId organization = OrganizationId.New(TimeProvider.System);
    private string original = "";

    public async Task InitializeAsync()
    {
        original = await NewDatabaseAsync();
        await PostgresFixture.MigrateAsync(original);
        Directory.CreateDirectory(folder);
    }

    public async Task DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        foreach (var database in databases) await PostgresFixture.DropDatabaseAsync(database);
    }

    [Fact]
    public async Task Every_row_of_every_table_is_there_again()
    {
        await using var host = Host(original);
        await ExecuteAsync(original, $"INSERT INTO organization VALUES ('{organization.Value}', 'Acme', now()); INSERT INTO secret VALUES ('{organization.Value}', 'models/acme', '1', '\\x00ff', '…', now())");
        await WriteAsync(host, NewSession(), 3);
        await PublishAsync(original, "a", 1);
        await BackupOf(original).WriteAsync(folder, default);

        var restored = await NewDatabaseAsync();
        await BackupOf(restored).RestoreAsync(folder, replace: false, default);

        Assert.Contains("organization", await TablesWithRowsAsync(original));
        foreach (var table in await TablesWithRowsAsync(original))
        {
            if (table is "session_head" or "feed_topic" or "feed_entry" or "session_host" or "schema_migration" or "database_timeline") continue; // those that say it went back, when its steps were made, and where it is
            Assert.Equal(await RowsAsync(original, table), await RowsAsync(restored, table));
        }

        Assert.Equal(await UnprotectedTablesAsync(original), await UnprotectedTablesAsync(restored));
    }

    [Fact]
    public async Task It_is_of_one_moment_while_a_host_goes_on_writing()
    {
        await using var host = Host(original);
        var (first, second) = (NewSession(), NewSession());
        var leases = (First: await OpenAsync(host, first), Second: await OpenAsync(host, second));
        using var enough = new CancellationTokenSource();
        var begun = new TaskCompletionSource();

        // The second is written only after the first was: a copy of one moment never has it further on.
        var writing = Task.Run(async () =>
        {
            for (var version = 0L; !enough.IsCancellationRequested; version++)
            {
                await AppendAsync(host, leases.First, version);
                await AppendAsync(host, leases.Second, version);
                if (version == 20) begun.TrySetResult();
            }
        });
        await await Task.WhenAny(begun.Task, writing); // writing that fails before says so
        await BackupOf(original).WriteAsync(folder, default);
        await enough.CancelAsync();
        await writing;

        var restored = await NewDatabaseAsync();
        await BackupOf(restored).RestoreAsync(folder, replace: false, default);
        await using var again = await StartAsync(restored);
        var heads = (First: (await again.Journal.FindHeadAsync(first, default))!, Second: (await again.Journal.FindHeadAsync(second, default))!);
        Assert.InRange(heads.First.Version - heads.Second.Version, 0, 1);
        Assert.InRange(heads.Second.Version, 21, long.MaxValue);
        foreach (var head in new[] { heads.First, heads.Second }) Assert.Equal(head.Version, await again.Journal.ReadAsync(head.Key, 0, default).CountAsync());
    }

    [Fact]
    public async Task Restored_every_session_is_another_incarnation_held_by_nobody_and_never_one_that_was_given_before()
    {
        await using var host = Host(original);
        var key = NewSession();
        var lease = await WriteAsync(host, key, 2);
        await BackupOf(original).WriteAsync(folder, default);

        var seen = new HashSet<int> { lease.Incarnation };
        for (var time = 0; time < 2; time++)
        {
            var restored = await NewDatabaseAsync();
            var backup = BackupOf(restored, TimeSpan.FromSeconds(time));
            await backup.RestoreAsync(folder, replace: false, default);
            await using var again = await StartAsync(restored);

            var head = (await again.Journal.FindHeadAsync(key, default))!;
            Assert.True(seen.Add(head.Incarnation));
            Assert.Equal((2L, null), (head.Version, head.Host));
            Assert.False(await again.Journal.AppendAsync(lease, Append(2), default));
            Assert.Equal(head.Incarnation, (await again.Journal.OpenAsync(key, HostId.New(TimeProvider.System), create: false, default))!.Incarnation);

            // One that was made after the backup, and is made again by its key, was another one.
            Assert.Equal(head.Incarnation, (await OpenAsync(again, NewSession())).Incarnation);
        }
    }

    [Fact]
    public async Task A_host_that_was_left_running_over_the_restore_of_its_database_writes_nothing_whatever_epoch_it_holds()
    {
        await using var host = Host(original);
        var (key, madeLater) = (NewSession(), NewSession());
        await WriteAsync(host, key, 2);
        await BackupOf(original).WriteAsync(folder, default);

        // The future that is lost: the session changes hands again and again, and another is made.
        var left = (await host.Journal.OpenAsync(key, HostId.New(TimeProvider.System), create: false, default))!;
        for (var time = 0; time < 20; time++) left = (await host.Journal.OpenAsync(key, HostId.New(TimeProvider.System), create: false, default))!;
        var leftLater = await WriteAsync(host, madeLater, 1);

        var restored = await NewDatabaseAsync();
        await BackupOf(restored).RestoreAsync(folder, replace: false, default);
        await using var again = await StartAsync(restored);
        await FencedAsync(again, left, 2);

        // The next host opens both as often as was lost, so that counting on from the copy would come to the very same epochs.
        var held = (await again.Journal.OpenAsync(key, HostId.New(TimeProvider.System), create: false, default))!;
        for (var time = 0; time < 30; time++)
        {
            await FencedAsync(again, left, 2);
            held = (await again.Journal.OpenAsync(key, HostId.New(TimeProvider.System), create: false, default))!;
        }

        var heldLater = await WriteAsync(again, madeLater, 1);
        await FencedAsync(again, left, 2);
        await FencedAsync(again, leftLater, 1);
        await AppendAsync(again, held, 2);
        await AppendAsync(again, heldLater, 1);
        Assert.True(held.Epoch > left.Epoch && heldLater.Epoch > leftLater.Epoch);
    }

    [Fact]
    public async Task Restored_again_and_again_epochs_only_grow_and_a_release_that_is_newer_than_the_copy_keeps_them()
    {
        var key = NewSession();
        await using (var host = Host(original)) await WriteAsync(host, key, 1);
        for (var (time, highest) = (0, 1L); time < 3; time++)
        {
            await BackupOf(original, TimeSpan.FromSeconds(time)).SayRestoredAsync(default);
            await ExecuteAsync(original, Migration.Embedded().Single(step => step.Number == 10).Sql); // as a release does to a copy that has it not
            await using var again = Host(original);

            var (held, made) = (await OpenAsync(again, key), await OpenAsync(again, NewSession()));

            Assert.True(held.Epoch > highest && made.Epoch > highest);
            highest = Math.Max(held.Epoch, made.Epoch);
        }
    }

    [Fact]
    public async Task Restored_by_other_means_it_says_so_when_it_is_told()
    {
        var key = NewSession();
        await using (var host = Host(original)) await WriteAsync(host, key, 1);

        Assert.Equal(1, await BackupOf(original).SayRestoredAsync(default));
        Assert.Equal(1, await BackupOf(original).SayRestoredAsync(default));

        await using var again = Host(original);
        Assert.True((await again.Journal.FindHeadAsync(key, default))!.Incarnation > 2);
    }

    [Fact]
    public async Task A_reader_of_a_topic_is_told_to_load_anew_whatever_the_topic_says_since()
    {
        await PublishAsync(original, "a", 1);
        await BackupOf(original).WriteAsync(folder, default);
        await PublishAsync(original, "a", 2);
        var restored = await NewDatabaseAsync();
        await BackupOf(restored).RestoreAsync(folder, replace: false, default);

        await PostgresFixture.MigrateAsync(restored);
        await PublishAsync(restored, "b", 7);
        await PublishAsync(restored, "c", 7);

        await using var services = Services(restored);
        Assert.Equal("stale_cursor", (await services.GetRequiredService<IEventFeed>().ReadAsync(organization, Topic, 2, 10, default)).Problem?.Code);
    }

    [Fact]
    public async Task With_a_host_on_it_nothing_is_changed()
    {
        await using var host = Host(original);
        var key = NewSession();
        await WriteAsync(host, key, 1);

        var refused = await Assert.ThrowsAsync<PortException>(() => BackupOf(original).SayRestoredAsync(default));

        Assert.Contains("Stop every host", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, (await host.Journal.FindHeadAsync(key, default))!.Incarnation);
    }

    [Fact]
    public async Task With_a_host_on_it_a_restore_says_so_and_not_that_it_holds_something()
    {
        await using var host = Host(original);
        await WriteAsync(host, NewSession(), 1);
        await BackupOf(original).WriteAsync(folder, default);
        await host.Journal.FindHeadAsync(NewSession(), default); // its connection is there

        Assert.All(
            [await Assert.ThrowsAsync<PortException>(() => BackupOf(original).RestoreAsync(folder, replace: false, default)), await Assert.ThrowsAsync<PortException>(() => BackupOf(original).DemandPlaceAsync(replace: false, default))],
            refused => Assert.Contains("Stop every host", refused.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_asked_to_be_replaced_and_is_not_embedded_is_left_and_the_option_is_named()
    {
        await using (var host = Host(original)) await WriteAsync(host, NewSession(), 1);
        await BackupOf(original).WriteAsync(folder, default);
        var empty = await NewDatabaseAsync();

        foreach (var database in (string[])[original, empty])
            Assert.Contains("--replace", (await Assert.ThrowsAsync<PortException>(() => BackupOf(database).RestoreAsync(folder, replace: true, default))).Message, StringComparison.Ordinal);
        Assert.Empty(await TablesAsync(empty));
    }

    [Fact]
    public async Task Into_a_database_whose_roles_the_login_may_not_make_nothing_is_restored_until_they_are_made()
    {
        await using (var host = Host(original)) await WriteAsync(host, NewSession(), 1);
        await BackupOf(original).WriteAsync(folder, default);
        var restored = await NewDatabaseAsync();
        var roles = DatabaseRoles.Of(databases[^1]);
        await PostgresFixture.ExecuteAsAdministratorAsync($"DROP ROLE {roles.Door}, {roles.Tenants}, {roles.Host}");

        var refused = await Assert.ThrowsAsync<PortException>(() => BackupOf(restored).RestoreAsync(folder, replace: false, default));
        Assert.Equal(PortFailureKind.Rejected, refused.Kind);
        Assert.Empty(await TablesAsync(restored));

        await PostgresFixture.ExecuteAsAdministratorAsync(refused.Message[refused.Message.IndexOf("CREATE ROLE", StringComparison.Ordinal)..]);
        await BackupOf(restored).RestoreAsync(folder, replace: false, default);
        await using var again = await StartAsync(restored);
    }

    [Fact]
    public async Task With_somebody_who_holds_what_is_to_be_changed_it_says_who_and_changes_nothing()
    {
        await using (var host = Host(original)) await WriteAsync(host, NewSession(), 1);
        var backup = BackupOf(original);
        backup.LockPatience = TimeSpan.FromMilliseconds(100);
        foreach (var holds in (string[])["SELECT 1 FROM session_head", $"SELECT pg_advisory_lock({MigrationRunner.LockKey})"]) // as one who looks at it by hand, and as a host that is just starting
        {
            await using var holder = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(AsSystem(original)) { ApplicationName = "somebody" }.ConnectionString);
            await holder.OpenAsync();
            await using var hold = new NpgsqlCommand($"BEGIN; {holds}", holder);
            await hold.ExecuteNonQueryAsync();

            var refused = await Assert.ThrowsAsync<PortException>(() => backup.SayRestoredAsync(default).WaitAsync(TimeSpan.FromSeconds(10)));

            Assert.Equal(PortFailureKind.Unavailable, refused.Kind);
            Assert.Contains($"process {holder.ProcessID} (somebody, ", refused.Message, StringComparison.Ordinal);
            Assert.Contains("pg_terminate_backend", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal(1, await backup.SayRestoredAsync(default));
    }

    [Fact]
    public async Task A_database_that_holds_anything_is_not_written_over()
    {
        await using (var host = Host(original)) await WriteAsync(host, NewSession(), 1);
        await BackupOf(original).WriteAsync(folder, default);

        var refused = await Assert.ThrowsAsync<PortException>(() => BackupOf(original).RestoreAsync(folder, replace: false, default));

        Assert.Contains("not empty", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("manifest.json")]
    [InlineData("session_record.copy.gz")]
    public async Task A_damaged_backup_is_refused_before_anything_is_done(string file)
    {
        await using (var host = Host(original)) await WriteAsync(host, NewSession(), 1);
        await BackupOf(original).WriteAsync(folder, default);
        await File.WriteAllTextAsync(Path.Combine(folder, file), "something else");
        var restored = await NewDatabaseAsync();

        var refused = await Assert.ThrowsAsync<PortException>(() => BackupOf(restored).RestoreAsync(folder, replace: false, default));

        Assert.Equal((PortFailureKind.Rejected, true), (refused.Kind, refused.Message.Contains(file, StringComparison.Ordinal)));
        Assert.Empty(await TablesAsync(restored));
    }

    [Fact]
    public async Task A_restore_that_does_not_end_leaves_no_row()
    {
        await using (var host = Host(original)) await WriteAsync(host, NewSession(), 1);
        await BackupOf(original).WriteAsync(folder, default);
        var restored = await NewDatabaseAsync();
        await PostgresFixture.MigrateAsync(restored);
        await ExecuteAsync(restored, "ALTER TABLE session_view ADD CHECK (false)");

        await Assert.ThrowsAsync<PortException>(() => BackupOf(restored).RestoreAsync(folder, replace: false, default));

        Assert.Equal(["database_timeline", "schema_migration"], await TablesWithRowsAsync(restored));
    }

    [Fact]
    public async Task No_table_of_a_backup_counts_by_a_sequence_which_a_backup_does_not_hold()
    {
        Assert.Equal(["session_host_lock_seq"], await NamesAsync(original, "SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"));
    }

    private static SessionKey Key(OrganizationId organization) => new(organization, SessionId.New(TimeProvider.System));

    private SessionKey NewSession() => Key(organization);

    private static PostgresSessions Host(string connectionString) => new(connectionString);

    /// <summary>A host that starts on a database that was restored.</summary>
    private static async Task<PostgresSessions> StartAsync(string connectionString)
    {
        await PostgresFixture.MigrateAsync(connectionString);
        return Host(connectionString);
    }

    private static DatabaseBackup BackupOf(string connectionString, TimeSpan later = default) => Services(connectionString, later).GetRequiredService<DatabaseBackup>();

    private static ServiceProvider Services(string connectionString, TimeSpan later = default)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Database:ConnectionString", connectionString)]).Build();
        return new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(new Later(later)).AddPostgres(configuration).AddPostgresEventFeed().BuildServiceProvider();
    }

    private async Task<string> NewDatabaseAsync()
    {
        var name = $"backup_{PrefixedId.NewValue(TimeProvider.System):n}";
        databases.Add(name);
        return await PostgresFixture.CreateDatabaseAsync(name);
    }

    private static async Task<JournalLease> OpenAsync(PostgresSessions host, SessionKey key) => (await host.Journal.OpenAsync(key, HostId.New(TimeProvider.System), create: true, default))!;

    private static async Task<JournalLease> WriteAsync(PostgresSessions host, SessionKey key, int appends)
    {
        var lease = await OpenAsync(host, key);
        for (var version = 0; version < appends; version++) await AppendAsync(host, lease, version);
        return lease;
    }

    private static async Task AppendAsync(PostgresSessions host, JournalLease lease, long version) => Assert.True(await host.Journal.AppendAsync(lease, Append(version), default));

    private static async Task FencedAsync(PostgresSessions host, JournalLease lease, long version) => Assert.False(await host.Journal.AppendAsync(lease, Append(version), default));

    private static JournalAppend Append(long version) => new(version, new byte[200], 1, DateTimeOffset.UnixEpoch, null, "{}"u8.ToArray());

    private async Task PublishAsync(string database, string document, long version)
    {
        await using var services = Services(database);
        await services.GetRequiredService<IEventFeed>().PublishAsync(organization, [FeedDocument.Of(Topic, document, version, "{}"u8.ToArray())], default);
    }

    private static Task<List<string>> TablesAsync(string database) => NamesAsync(database, "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname");

    private static async Task<List<string>> TablesWithRowsAsync(string database)
    {
        var filled = new List<string>();
        foreach (var table in await TablesAsync(database))
        {
            if ((await RowsAsync(database, table)).Count > 0) filled.Add(table);
        }

        return filled;
    }

    private static Task<List<string>> RowsAsync(string database, string table) => NamesAsync(database, $"SELECT row::text FROM {table} AS row ORDER BY 1");

    private static Task<List<string>> UnprotectedTablesAsync(string database) =>
        NamesAsync(database, "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY relname");

    private static async Task<List<string>> NamesAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(AsSystem(database));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var names = new List<string>();
        while (await reader.ReadAsync()) names.Add(reader.GetString(0));
        return names;
    }

    private static async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(AsSystem(database));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static string AsSystem(string database) => new NpgsqlConnectionStringBuilder(database) { Pooling = false, Options = "-c coordinator.scope=system" }.ConnectionString;

    private sealed class Later(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + by;
    }
}
