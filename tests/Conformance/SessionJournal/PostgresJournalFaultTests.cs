using System.Text;
using Coordinator.Adapters.Postgres;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Conformance.Postgres;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Network;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionJournal;

/// <summary>What an append's caller sees when the database, the way to it or a neighbour misbehaves.</summary>
public sealed class PostgresJournalFaultTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);

    private const string Repository = "https://example.com/one.git";

    private readonly PostgresFixture fixture = new();
    private FaultProxy? proxy;
    private PostgresSessions? behindProxy;
    private PostgresSessions? direct;

    private FaultProxy Proxy => proxy!;

    private ISessionJournal Journal => behindProxy!.Journal;

    public async Task InitializeAsync()
    {
        await fixture.InitializeAsync();
        proxy = PostgresBehindProxy.Before(fixture.ConnectionString);
        behindProxy = new(proxy.Through(fixture.ConnectionString), ("Journal:Writers", "1"), ("Journal:OutagePatience", "00:00:01.5"), ("Journal:AppendBytes", "200000"), ("Journal:PendingBytes", "200000"));
        direct = new(fixture.ConnectionString);
    }

    public async Task DisposeAsync()
    {
        await behindProxy!.DisposeAsync();
        await direct!.DisposeAsync();
        await proxy!.DisposeAsync();
        await fixture.DisposeAsync();
    }

    [Fact]
    public async Task Written_and_the_answer_lost_it_is_found_and_not_written_twice()
    {
        var lease = await CreateAsync();
        Assert.True(await AppendAsync(lease, 0));

        Proxy.BlackHole(Direction.ToClient);
        var append = AppendAsync(lease, 1);
        await EmbeddedServerFolder.UntilAsync("the append is durable", async () => (await direct!.Journal.FindHeadAsync(lease.Key, default))!.Version == 2);
        Proxy.Heal();

        Assert.True(await append);
        Assert.Equal(2, (await direct!.Journal.FindHeadAsync(lease.Key, default))!.Version);
        Assert.True(await AppendAsync(lease, 2));
    }

    [Fact]
    public async Task Written_the_answer_lost_and_fenced_since_it_is_still_found()
    {
        var lease = await CreateAsync();
        Assert.True(await AppendAsync(lease, 0));

        Proxy.BlackHole(Direction.ToClient);
        var append = AppendAsync(lease, 1);
        await EmbeddedServerFolder.UntilAsync("the append is durable", async () => (await direct!.Journal.FindHeadAsync(lease.Key, default))!.Version == 2);
        await direct!.Journal.OpenAsync(lease.Key, HostId.New(TimeProvider.System), create: false, default);
        Proxy.Heal();

        Assert.True(await append);
        Assert.False(await AppendAsync(lease, 2));
    }

    [Fact]
    public async Task Cut_off_before_it_was_written_the_statement_on_the_server_is_ended_and_the_append_made_once()
    {
        var lease = await CreateAsync();
        Assert.True(await AppendAsync(lease, 0));

        await using var blocker = await BlockAsync(lease.Key);
        var append = AppendAsync(lease, 1);
        var zombie = await WaitForBlockedStatementAsync();
        Proxy.Cut();
        await EmbeddedServerFolder.UntilAsync("the zombie is ended", async () => !(await BlockedAsync()).Contains(zombie));
        await blocker.DisposeAsync();

        Assert.True(await append);
        Assert.Equal(2, (await direct!.Journal.FindHeadAsync(lease.Key, default))!.Version);
    }

    [Fact]
    public async Task Its_server_process_ended_by_somebody_the_append_is_made_on_another()
    {
        var lease = await CreateAsync();
        Assert.True(await AppendAsync(lease, 0));

        await using var blocker = await BlockAsync(lease.Key);
        var append = AppendAsync(lease, 1);
        await ExecuteAsync($"SELECT pg_terminate_backend({await WaitForBlockedStatementAsync()})");
        await blocker.DisposeAsync();

        Assert.True(await append);
        Assert.Equal(2, (await direct!.Journal.FindHeadAsync(lease.Key, default))!.Version);
    }

    [Fact]
    public async Task Cut_off_and_never_let_back_the_outcome_is_said_to_be_unknown()
    {
        var lease = await CreateAsync();
        Assert.True(await AppendAsync(lease, 0));

        Proxy.BlackHole(Direction.ToClient);
        var append = AppendAsync(lease, 1);
        await EmbeddedServerFolder.UntilAsync("the append is durable", async () => (await direct!.Journal.FindHeadAsync(lease.Key, default))!.Version == 2);
        Proxy.Refuse();

        Assert.True((await Assert.ThrowsAsync<PortException>(() => append)).EffectMayHaveHappened);
    }

    [Fact]
    public async Task A_database_that_is_away_is_said_to_be_unavailable_with_nothing_written()
    {
        var lease = await CreateAsync();
        Proxy.Refuse();

        var append = await Assert.ThrowsAsync<PortException>(() => AppendAsync(lease, 0));
        var read = await Assert.ThrowsAsync<PortException>(async () => await Journal.FindHeadAsync(lease.Key, default));

        Assert.Equal((PortFailureKind.Unavailable, false), (append.Kind, append.EffectMayHaveHappened));
        Assert.Equal(PortFailureKind.Unavailable, read.Kind);
        Assert.Null(await direct!.Journal.FindHeadAsync(lease.Key, default));
    }

    [Fact]
    public async Task A_database_that_took_no_writes_for_a_while_is_written_to_again()
    {
        var lease = await CreateAsync();
        await ExecuteAsync("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$");
        await EndOthersAsync();

        var refused = await Assert.ThrowsAsync<PortException>(() => AppendAsync(lease, 0));
        await ExecuteAsync("SET default_transaction_read_only = off; DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET default_transaction_read_only', current_database()); END $$");

        Assert.Equal((PortFailureKind.Unavailable, false), (refused.Kind, refused.EffectMayHaveHappened));
        Assert.True(await AppendAsync(lease, 0));
        Assert.NotNull(await Journal.OpenAsync(lease.Key, HostId.New(TimeProvider.System), create: false, default));
    }

    [Fact]
    public async Task An_answer_that_makes_no_sense_is_a_failure_of_the_database_like_any_other()
    {
        var lease = await CreateAsync();
        Assert.True(await AppendAsync(lease, 0));
        Proxy.Corrupt(Direction.ToClient);

        await Assert.ThrowsAsync<PortException>(async () => await Journal.ReleaseAsync(lease, default));
        await Assert.ThrowsAsync<PortException>(() => AppendAsync(lease, 1));
        Proxy.Heal();

        await EmbeddedServerFolder.UntilAsync("it is understood again", async () => await OpensAsync(lease.Key));
    }

    [Fact]
    public async Task A_poisoned_append_fails_alone_among_its_group()
    {
        await ExecuteAsync("ALTER TABLE session_record ADD CONSTRAINT no_poison CHECK (position('poison'::bytea IN payload) = 0)");
        var leases = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => CreateAsync()));

        var appends = await InOneGroupAsync(() => [.. leases.Select((lease, i) => AppendAsync(lease, 0, i is 4 or 17 ? "some poison" : $"{i}\0"))]);

        for (var i = 0; i < appends.Length; i++)
        {
            if (i is 4 or 17)
            {
                var refused = await Assert.ThrowsAsync<PortException>(() => appends[i]);
                Assert.Equal((PortFailureKind.Rejected, false), (refused.Kind, refused.EffectMayHaveHappened));
                Assert.DoesNotContain("some poison", refused.ToString(), StringComparison.Ordinal);
            }
            else
            {
                Assert.True(await appends[i]);
            }
        }

        Assert.True(await AppendAsync(leases[4], 0, "better"));
    }

    [Fact]
    public async Task An_append_that_the_database_fails_at_for_its_session_alone_fails_alone_among_its_group()
    {
        // As a damaged block, a trigger or a privilege of somebody's own does to the statement that comes to its row.
        await ExecuteAsync("""
            CREATE FUNCTION fail_at_some() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not this one' USING ERRCODE = convert_from(substr(NEW.payload, 9), 'UTF8'); END $$;
            CREATE TRIGGER fail_at_some BEFORE INSERT ON session_record FOR EACH ROW WHEN (substr(NEW.payload, 1, 8) = 'fails as'::bytea) EXECUTE FUNCTION fail_at_some();
            """);
        var failing = new Dictionary<int, (string Payload, PortFailureKind Kind)>
        {
            [3] = ("fails asXX001", PortFailureKind.Unavailable),
            [4] = ("fails as42501", PortFailureKind.Unauthorized),
            [17] = ("fails asP0001", PortFailureKind.Unavailable),
        };
        var leases = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => CreateAsync()));

        var appends = await InOneGroupAsync(() => [.. leases.Select((lease, i) => AppendAsync(lease, 0, failing.TryGetValue(i, out var one) ? one.Payload : "{}"))]);

        for (var i = 0; i < appends.Length; i++)
        {
            if (failing.TryGetValue(i, out var one))
            {
                var refused = await Assert.ThrowsAsync<PortException>(() => appends[i]);
                Assert.Equal((one.Kind, false), (refused.Kind, refused.EffectMayHaveHappened));
            }
            else
            {
                Assert.True(await appends[i]);
            }
        }
    }

    [Fact]
    public async Task What_refuses_a_whole_group_is_asked_a_few_times_and_not_for_each_of_it()
    {
        // As a server out of room, and as a grant that was lost or a table that is gone.
        await ExecuteAsync("""
            CREATE SEQUENCE asked;
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN PERFORM nextval('asked'); RAISE EXCEPTION 'not now' USING ERRCODE = convert_from(substr(NEW.payload, 9), 'UTF8'); END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON session_record FOR EACH ROW WHEN (substr(NEW.payload, 1, 8) = 'fails as'::bytea) EXECUTE FUNCTION refuse();
            """);
        var leases = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => CreateAsync()));

        Assert.Equal(1L, await AskedAsync("53100", PortFailureKind.Full));
        Assert.InRange(await AskedAsync("42501", PortFailureKind.Unauthorized), 2, 12);
        Assert.InRange(await AskedAsync("42P01", PortFailureKind.Unavailable), 2, 12);
        Assert.True(await AppendAsync(leases[40], 0));

        async Task<long> AskedAsync(string state, PortFailureKind kind)
        {
            await ExecuteAsync("ALTER SEQUENCE asked RESTART");
            var appends = await InOneGroupAsync(() => [.. leases.Select(lease => AppendAsync(lease, 0, $"fails as{state}"))]);
            foreach (var append in appends)
            {
                var refused = await Assert.ThrowsAsync<PortException>(() => append);
                Assert.Equal((kind, false), (refused.Kind, refused.EffectMayHaveHappened));
            }

            await using var asked = direct!.Owner.CreateCommand("SELECT last_value FROM asked");
            return (long)(await asked.ExecuteScalarAsync())!;
        }
    }

    [Fact]
    public async Task In_one_group_each_is_told_whether_it_was_written_or_fenced()
    {
        var leases = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => CreateAsync()));
        foreach (var fenced in leases.Take(2)) await direct!.Journal.OpenAsync(fenced.Key, HostId.New(TimeProvider.System), create: true, default);

        var appends = await InOneGroupAsync(() => [.. leases.Select(lease => AppendAsync(lease, 0))]);

        var written = await Task.WhenAll(appends);

        Assert.Equal([false, false, true, true, true, true], written);
        Assert.Null(await direct!.Journal.FindHeadAsync(leases[0].Key, default));
        Assert.Equal(1, (await direct.Journal.FindHeadAsync(leases[5].Key, default))!.Version);
    }

    [Fact]
    public async Task A_lease_that_repeats_itself_among_others_is_not_told_that_it_was_written()
    {
        var (other, repeating) = (await CreateAsync(), await CreateAsync());
        Assert.True(await AppendAsync(repeating, 0));

        var appends = await InOneGroupAsync(() => [AppendAsync(other, 0), AppendAsync(repeating, 0, "again")]);
        var written = await Task.WhenAll(appends);

        Assert.Equal([true, false], written);
        Assert.Equal(1, (await direct!.Journal.FindHeadAsync(repeating.Key, default))!.Version);
    }

    [Fact]
    public async Task In_one_group_each_shows_and_discovers_what_is_its_own()
    {
        var leases = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => CreateAsync()));
        await direct!.Journal.OpenAsync(leases[7].Key, HostId.New(TimeProvider.System), create: true, default);

        foreach (var discovers in (bool[])[false, true])
        {
            var version = discovers ? 1 : 0;
            var appends = await InOneGroupAsync(() => [.. leases.Select((lease, i) => Journal.AppendAsync(lease, Showing(lease, i, version, discovers), default).AsTask())]);
            var written = await Task.WhenAll(appends);

            Assert.Equal([true, true, true, true, true, true, true, false], written);
            for (var i = 0; i < 7; i++)
            {
                var head = (await direct.Journal.FindHeadAsync(leases[i].Key, default))!;
                Assert.Equal((version + 1L, i % 2 == 0 ? $"view {i} {version}" : ""), (head.Version, Encoding.UTF8.GetString(head.View.Span)));
                Assert.Equal(discovers && i % 3 == 0 ? $$"""{"of":{{i}}}""" : null, await direct.Journal.FindEnvironmentAsync(leases[i].Key.Organization, Repository, default));
            }
        }

        Assert.Null(await direct.Journal.FindEnvironmentAsync(leases[7].Key.Organization, Repository, default));
    }

    [Fact]
    public async Task Part_of_a_group_written_and_nobody_to_say_which_the_outcome_is_said_to_be_unknown()
    {
        var (good, fenced) = (await CreateAsync(), await CreateAsync());
        await direct!.Journal.OpenAsync(fenced.Key, HostId.New(TimeProvider.System), create: true, default);
        await ExecuteAsync($"REVOKE SELECT ON session_record FROM {DatabaseRoles.Of(new NpgsqlConnectionStringBuilder(fixture.ConnectionString).Database!).Host}");

        var appends = await InOneGroupAsync(() => [AppendAsync(good, 0), AppendAsync(fenced, 0)]);

        foreach (var append in appends) Assert.True((await Assert.ThrowsAsync<PortException>(() => append)).EffectMayHaveHappened);
        Assert.Equal(1, (await direct.Journal.FindHeadAsync(good.Key, default))!.Version);
    }

    [Fact]
    public async Task A_batch_that_is_too_large_is_refused_at_once_and_blocks_nothing_behind_it()
    {
        var lease = await CreateAsync();

        var refused = await Assert.ThrowsAsync<PortException>(() => AppendAsync(lease, 0, new string('x', 200_001)));

        Assert.Equal(PortFailureKind.Rejected, refused.Kind);
        Assert.True(await AppendAsync(lease, 0));
    }

    [Fact]
    public async Task Beyond_the_bound_appends_wait_and_may_be_taken_back_unwritten()
    {
        var (first, second, third) = (await CreateAsync(), await CreateAsync(), await CreateAsync());
        using var impatient = new CancellationTokenSource();

        await using var blocker = await BlockAsync(first.Key);
        var held = AppendAsync(first, 0, new string('x', 150_000));
        await WaitForBlockedStatementAsync();
        var takenBack = AppendAsync(second, 0, new string('x', 150_000), impatient.Token);
        var waiting = AppendAsync(third, 0, new string('x', 150_000));
        Assert.False(waiting.IsCompleted);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => takenBack);
        await blocker.DisposeAsync();

        Assert.True(await held);
        Assert.True(await waiting);
        Assert.Null(await Journal.FindHeadAsync(second.Key, default));
    }

    [Fact]
    public async Task Row_level_security_shows_a_connection_only_the_organization_it_names()
    {
        var lease = await CreateAsync();
        await AppendAsync(lease, 0);

        Assert.Equal(0L, await CountAsync(null));
        Assert.Equal(0L, await CountAsync(OrganizationId.New(TimeProvider.System)));
        Assert.Equal(3L, await CountAsync(lease.Key.Organization));

        async Task<long> CountAsync(OrganizationId? organization)
        {
            await using var connection = await direct!.Shared.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await using var command = new NpgsqlCommand(
                $"SELECT set_config('coordinator.organization', '{organization?.Value}', true); SELECT (SELECT count(*) FROM session_head) + 2 * (SELECT count(*) FROM session_record)", connection);
            await using var reader = await command.ExecuteReaderAsync();
            await reader.NextResultAsync();
            await reader.ReadAsync();
            return reader.GetInt64(0);
        }
    }

    private async Task<JournalLease> CreateAsync()
    {
        var key = new SessionKey(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        return (await Journal.OpenAsync(key, HostId.New(TimeProvider.System), create: true, default))!;
    }

    private async Task<bool> AppendAsync(JournalLease lease, long expected, string payload = "{}", CancellationToken cancellationToken = default) =>
        await Journal.AppendAsync(lease, new(expected, Encoding.UTF8.GetBytes(payload), 1, Noon, null, null), cancellationToken);

    /// <summary>Every second shows something, and every third discovers something, of which some do neither and some both.</summary>
    private static JournalAppend Showing(JournalLease lease, int i, long expected, bool discovers) =>
        new(expected, Encoding.UTF8.GetBytes($"{{\"of\":\"{lease.Key.Session}\"}}"), 1, Noon, i % 4 == 0 ? Noon : null, i % 2 == 0 ? Encoding.UTF8.GetBytes($"view {i} {expected}") : null)
        {
            Environment = discovers && i % 3 == 0 ? new(Repository, $$"""{"of":{{i}}}""") : null,
        };

    /// <summary>While the statement of another session is held, these gather: they go into one group.</summary>
    private async Task<Task<bool>[]> InOneGroupAsync(Func<Task<bool>[]> begin)
    {
        var first = await CreateAsync();
        await using var blocker = await BlockAsync(first.Key);
        var held = AppendAsync(first, 0);
        await WaitForBlockedStatementAsync();
        var appends = begin();
        await blocker.DisposeAsync();
        Assert.True(await held);
        return appends;
    }

    private async Task<bool> OpensAsync(SessionKey key)
    {
        try
        {
            return await Journal.OpenAsync(key, HostId.New(TimeProvider.System), create: false, default) is not null;
        }
        catch (PortException)
        {
            return false;
        }
    }

    private Task EndOthersAsync() => ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");

    /// <summary>Holds a session's row until disposed, so that the statement that writes it stands still.</summary>
    private async Task<NpgsqlConnection> BlockAsync(SessionKey key)
    {
        var connection = await direct!.Owner.OpenConnectionAsync();
        await using var command = new NpgsqlCommand($"BEGIN; SELECT 1 FROM session_head WHERE session = '{key.Session.Value}' FOR UPDATE", connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    private async Task<int> WaitForBlockedStatementAsync()
    {
        List<int> blocked = [];
        await EmbeddedServerFolder.UntilAsync("a statement waits for the row", async () => (blocked = await BlockedAsync()).Count > 0);
        return blocked[0];
    }

    private async Task<List<int>> BlockedAsync()
    {
        await using var command = direct!.Owner.CreateCommand("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()");
        await using var reader = await command.ExecuteReaderAsync();
        var blocked = new List<int>();
        while (await reader.ReadAsync()) blocked.Add(reader.GetInt32(0));
        return blocked;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = direct!.Owner.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
