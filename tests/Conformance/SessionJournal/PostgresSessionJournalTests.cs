using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Conformance.Postgres;
using Coordinator.Tests.Support;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionJournal;

public sealed class PostgresSessionJournalTests(PostgresFixture fixture) : SessionJournalArchiveContract, IClassFixture<PostgresFixture>, IAsyncLifetime
{
    private readonly PostgresSessions sessions = new(fixture.ConnectionString, ("Hosts:TimeToLive", "00:05:00")); // a machine that is busy makes no host doubt itself
    private readonly List<IHostRegistration> hosts = [];

    protected override ISessionJournal Journal => sessions.Journal;

    [Fact]
    public async Task A_session_of_which_a_record_is_not_what_was_written_keeps_no_other_from_being_done()
    {
        var broken = NewKey();
        var lease = await CreateAsync(broken);
        await AppendAsync(lease, 0, events: 1, payload: "not JSON");
        await Journal.ReleaseAsync(lease, default);
        var sound = await OverAsync(1);

        await ExpireAllAsync(TimeSpan.FromMinutes(-1));

        Assert.Equal((0L, 2L), ((await Journal.FindHeadAsync(broken, default))!.Floor, (await Journal.FindHeadAsync(sound, default))!.Floor));
    }

    [Fact]
    public async Task A_blob_that_is_being_noted_is_not_given_up_and_one_that_is_being_given_up_is_not_noted()
    {
        var key = await OverAsync(1);
        var seen = (await Journal.FindHeadAsync(key, default))!;
        var archive = new EventArchive(key, 1, 2, EventArchive.JsonLines, new('b', 64), 10, 20);
        await Journal.AnnounceArchiveAsync(archive.Pending, default);
        await using var connection = await sessions.Owner.OpenConnectionAsync();
        await using (await connection.BeginTransactionAsync())
        {
            await ExecuteAsync(connection, $"DELETE FROM event_archive_pending WHERE session = '{key.Session.Value}'");
            Assert.DoesNotContain(archive.Pending, await Journal.GiveUpArchivesAsync(TimeSpan.FromMinutes(-1), null, 1_000, default).AsTask().WaitAsync(TimeSpan.FromSeconds(30)));
        }

        await using var giving = await connection.BeginTransactionAsync();
        await ExecuteAsync(connection, $"UPDATE event_archive_pending SET given_up = true WHERE session = '{key.Session.Value}'");
        var note = Journal.ArchiveAsync(seen, archive, default).AsTask();
        await Eventually.HoldsAsync(
            async () => note.IsCompleted || await IsTrueAsync("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'DELETE FROM event_archive_pending%')"),
            "The note's wait for who gives the blob up");
        await giving.CommitAsync();

        Assert.False(await note);
        Assert.Null(await Journal.FindArchiveAsync(key, 0, default));
    }

    [Fact]
    public async Task A_session_at_which_the_database_fails_keeps_no_other_behind_it_from_being_done()
    {
        var failing = await FailingAsync(4);
        var sound = new[] { await OverAsync(1), await OverAsync(1) };

        await ExpireAllAsync(TimeSpan.FromMinutes(-1));

        foreach (var key in sound) Assert.Equal(2L, (await Journal.FindHeadAsync(key, default))!.Floor);
        foreach (var key in failing) Assert.Equal(0L, (await Journal.FindHeadAsync(key, default))!.Floor);
        await MendAsync();
    }

    [Fact]
    public async Task A_database_that_fails_at_one_session_after_another_is_left_until_the_next_round_and_its_caller_is_told()
    {
        var failing = await FailingAsync(5);
        var behind = await OverAsync(1);

        Assert.Equal(PortFailureKind.Unavailable, (await Assert.ThrowsAsync<PortException>(() => ExpireAllAsync(TimeSpan.FromMinutes(-1)))).Kind);

        Assert.Equal(0L, (await Journal.FindHeadAsync(behind, default))!.Floor);
        await MendAsync();
        foreach (var key in failing.Append(behind)) Assert.Equal(2L, (await Journal.FindHeadAsync(key, default))!.Floor);
    }

    [Fact]
    public async Task What_a_host_without_peers_had_open_when_its_process_ended_is_done_by_the_next_one_and_its_own_is_not()
    {
        JournalLease left;
        await using (var before = new PostgresSessions(fixture.ConnectionString))
        {
            left = (await before.Journal.OpenAsync(NewKey(), NewHost(), create: true, default))!;
            Assert.True(await before.Journal.AppendAsync(left, new(0, """{"facts":[],"events":[{}]}"""u8.ToArray(), 1, DateTimeOffset.UnixEpoch, null, null), default));
        }

        var own = await LeftOpenAsync(NewHost());
        await ExpireAllAsync(TimeSpan.FromMinutes(-1));

        Assert.Equal(1L, (await Journal.FindHeadAsync(left.Key, default))!.Floor);
        Assert.True(await AppendAsync(own, 1, events: 1));
    }

    [Fact]
    public async Task A_host_that_hangs_and_whose_session_was_freed_is_found_dead_by_it()
    {
        var hanging = await LivingHostAsync();
        var left = await LeftOpenAsync(hanging);
        await CreateAsync(NewKey());
        await ExecuteAsync($"UPDATE session_host SET beat = now() - interval '1 hour' WHERE id = '{hanging.Value}'"); // its next beat is more than half a minute away

        await ExpireAllAsync(TimeSpan.FromMinutes(-1));

        Assert.Equal(2L, (await Journal.FindHeadAsync(left.Key, default))!.Floor);
        Assert.Equal(PortFailureKind.Fenced, (await Assert.ThrowsAsync<PortException>(async () => await Journal.OpenAsync(left.Key, hanging, create: false, default))).Kind);
    }

    [Fact]
    public async Task What_a_dead_host_still_holds_is_passed_over_and_not_waited_for()
    {
        var dead = await LivingHostAsync();
        var (held, left) = (await LeftOpenAsync(dead), await LeftOpenAsync(dead));
        await KillAsync(dead);
        await CreateAsync(NewKey());

        await using (var connection = await sessions.Owner.OpenConnectionAsync())
        await using (await connection.BeginTransactionAsync())
        {
            await using var hold = new NpgsqlCommand($"SELECT 1 FROM session_head WHERE session = '{held.Key.Session.Value}' FOR UPDATE", connection);
            await hold.ExecuteNonQueryAsync();
            await ExpireAllAsync(TimeSpan.FromMinutes(-1));
        }

        Assert.Equal((dead, default(HostId?)), ((await Journal.FindHeadAsync(held.Key, default))!.Host, (await Journal.FindHeadAsync(left.Key, default))!.Host));
        await ExpireAllAsync(TimeSpan.FromMinutes(-1));
        Assert.Equal(2L, (await Journal.FindHeadAsync(held.Key, default))!.Floor);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var host in hosts) await host.DisposeAsync();
        await sessions.DisposeAsync();
    }

    protected override async Task<HostId> LivingHostAsync()
    {
        hosts.Add(await sessions.Hosts.RegisterAsync(new(new("http://127.0.0.1:1/")), default));
        return hosts[^1].Location.Id;
    }

    /// <summary>Its connection is gone, and with it its lock.</summary>
    protected override Task KillAsync(HostId host) => ExecuteAsync($"""
        SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid = host_lock_class()::oid
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND objid = (SELECT lock::oid FROM session_host WHERE id = '{host.Value}')
        """);

    /// <summary>Sessions of the lowest keys, so that they come first, at which the database fails as at a damaged block.</summary>
    private async Task<List<SessionKey>> FailingAsync(int count)
    {
        var failing = new List<SessionKey>();
        for (var i = 0; i < count; i++) failing.Add(await OverAsync(new(new(Guid.Empty), SessionId.New(TimeProvider.System)), 1));
        await ExecuteAsync("""
            CREATE FUNCTION damaged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'invalid page' USING ERRCODE = 'data_corrupted'; END $$;
            CREATE TRIGGER damaged BEFORE UPDATE ON session_head FOR EACH ROW WHEN (OLD.org = '00000000-0000-0000-0000-000000000000') EXECUTE FUNCTION damaged();
            """);
        return failing;
    }

    private async Task MendAsync()
    {
        await ExecuteAsync("DROP TRIGGER damaged ON session_head; DROP FUNCTION damaged");
        await ExpireAllAsync(TimeSpan.FromMinutes(-1));
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        Assert.Equal(1, await command.ExecuteNonQueryAsync());
    }

    private async Task<bool> IsTrueAsync(string sql)
    {
        await using var command = sessions.Owner.CreateCommand(sql);
        return await command.ExecuteScalarAsync() is true;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = sessions.Owner.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
