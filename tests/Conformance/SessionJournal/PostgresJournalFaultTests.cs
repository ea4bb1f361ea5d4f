using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Conformance.Postgres;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Network;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionJournal;

/// <summary>What an append's caller sees when the database or the way to it misbehaves, and when there is too much of it.</summary>
public sealed class PostgresJournalFaultTests : PostgresJournalFaults
{
    [Fact]
    public async Task Written_and_the_answer_lost_it_is_found_and_not_written_twice()
    {
        var lease = await CreateAsync();
        Assert.True(await AppendAsync(lease, 0));

        Proxy.BlackHole(Direction.ToClient);
        var append = AppendAsync(lease, 1);
        await EmbeddedServerFolder.UntilAsync("the append is durable", async () => (await Direct.Journal.FindHeadAsync(lease.Key, default))!.Version == 2);
        Proxy.Heal();

        Assert.True(await Eventually.ComesAsync(append, "the outcome of the append"));
        Assert.Equal(2, (await Direct.Journal.FindHeadAsync(lease.Key, default))!.Version);
        Assert.True(await AppendAsync(lease, 2));
    }

    [Fact]
    public async Task Written_the_answer_lost_and_fenced_since_it_is_still_found()
    {
        var lease = await CreateAsync();
        Assert.True(await AppendAsync(lease, 0));

        Proxy.BlackHole(Direction.ToClient);
        var append = AppendAsync(lease, 1);
        await EmbeddedServerFolder.UntilAsync("the append is durable", async () => (await Direct.Journal.FindHeadAsync(lease.Key, default))!.Version == 2);
        await Direct.Journal.OpenAsync(lease.Key, HostId.New(TimeProvider.System), create: false, default);
        Proxy.Heal();

        Assert.True(await Eventually.ComesAsync(append, "the outcome of the append"));
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
        Assert.Equal(2, (await Direct.Journal.FindHeadAsync(lease.Key, default))!.Version);
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
        Assert.Equal(2, (await Direct.Journal.FindHeadAsync(lease.Key, default))!.Version);
    }

    [Fact]
    public async Task Cut_off_and_never_let_back_the_outcome_is_said_to_be_unknown()
    {
        var lease = await CreateAsync();
        Assert.True(await AppendAsync(lease, 0));

        Proxy.BlackHole(Direction.ToClient);
        var append = AppendAsync(lease, 1);
        await EmbeddedServerFolder.UntilAsync("the append is durable", async () => (await Direct.Journal.FindHeadAsync(lease.Key, default))!.Version == 2);
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
        Assert.Null(await Direct.Journal.FindHeadAsync(lease.Key, default));
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

    /// <summary>
    /// One writer writes whatever waits for it in one statement, unless the bound let it in one by one. Asked for by callers who may give up and by such who
    /// may not, who come to the bound on ways of their own.
    /// </summary>
    [Fact]
    public async Task Beyond_the_bound_appends_are_let_in_one_by_one_in_the_order_they_came()
    {
        var first = await CreateAsync();
        var others = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => CreateAsync()));
        using var patient = new CancellationTokenSource();

        await using var blocker = await BlockAsync(first.Key);
        var held = AppendAsync(first, 0, new string('x', 150_000));
        await WaitForBlockedStatementAsync();
        var waiting = others.Select((lease, i) => AppendAsync(lease, 0, new string('x', 150_000), i < 2 ? patient.Token : default)).ToList();
        await blocker.DisposeAsync();

        Assert.True(await held);
        foreach (var append in waiting) Assert.True(await append);
        var transactions = new List<long>();
        foreach (var lease in others) transactions.Add(await WrittenByAsync(lease.Key));
        Assert.Equal(transactions.Distinct().Order(), transactions);
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
            await using var connection = await Direct.Shared.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await using var command = new NpgsqlCommand(
                $"SELECT set_config('coordinator.organization', '{organization?.Value}', true); SELECT (SELECT count(*) FROM session_head) + 2 * (SELECT count(*) FROM session_record)", connection);
            await using var reader = await command.ExecuteReaderAsync();
            await reader.NextResultAsync();
            await reader.ReadAsync();
            return reader.GetInt64(0);
        }
    }

    /// <summary>The transaction that wrote the session's only record; a later one has a higher number.</summary>
    private async Task<long> WrittenByAsync(SessionKey key)
    {
        await using var command = Direct.Owner.CreateCommand($"SELECT xmin::text::bigint FROM session_record WHERE session = '{key.Session.Value}'");
        return (long)(await command.ExecuteScalarAsync())!;
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
}
