using Coordinator.Adapters.Postgres;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Conformance.Postgres;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionJournal;

/// <summary>What the appends of a writer's sessions come to while somebody holds rows of some of them.</summary>
public sealed class PostgresHeldRowTests : PostgresJournalFaults
{
    /// <summary>For what takes a moment, and is not waited for as long as a row is held: a quarter of the time that a statement has here.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(15);

    protected override (string Key, string Value)[] Settings => [("Journal:RowPatience", "00:00:01"), ("Journal:StatementTimeout", "00:01:00")];

    [Fact]
    public async Task A_row_that_somebody_holds_stops_its_own_session_and_none_of_its_group_or_of_later_ones()
    {
        var leases = await CreateAsync(30);
        await using var holder = await BlockAsync(leases[17].Key);

        var appends = await InOneGroupAsync(() => [.. leases.Select(lease => AppendAsync(lease, 0))]);
        await AllButAsync(17, appends).WaitAsync(Bound);
        var next = AppendAsync(leases[17], 1);
        var began = TimeProvider.System.GetTimestamp();
        for (var round = 1; round <= 30; round++) await AllButAsync(17, [.. leases.Select((lease, i) => i == 17 ? appends[17] : AppendAsync(lease, round))]).WaitAsync(Bound);

        Assert.True(TimeProvider.System.GetElapsedTime(began) < Bound, "Each later group waited for the row.");
        Assert.Equal((false, false), (appends[17].IsCompleted, next.IsCompleted));
        await holder.DisposeAsync();
        Assert.True(await appends[17].WaitAsync(Bound));
        Assert.True(await next.WaitAsync(Bound));
        Assert.Equal((2L, 2L), await WrittenAsync(leases[17]));
        Assert.True(await AppendAsync(leases[17], 2).WaitAsync(Bound));
    }

    [Fact]
    public async Task Many_rows_that_somebody_holds_cost_the_others_no_more_than_one()
    {
        var leases = await CreateAsync(30);
        await using var holder = await HoldAsync($"SELECT 1 FROM session_head WHERE session IN ({string.Join(", ", leases.Take(20).Select(lease => $"'{lease.Key.Session.Value}'"))}) FOR UPDATE");

        var appends = await InOneGroupAsync(() => [.. leases.Select(lease => AppendAsync(lease, 0))]);

        foreach (var append in appends.Skip(20)) Assert.True(await append.WaitAsync(Bound));
        Assert.All(appends.Take(20), append => Assert.False(append.IsCompleted));
        await holder.DisposeAsync();
        foreach (var append in appends) Assert.True(await append.WaitAsync(Bound));
        foreach (var lease in leases) Assert.Equal((1L, 1L), await WrittenAsync(lease));
    }

    [Fact]
    public async Task Another_row_of_a_session_that_somebody_holds_stops_that_session_alone()
    {
        var leases = await CreateAsync(6);
        foreach (var lease in leases) Assert.True(await Journal.AppendAsync(lease, Showing(0), default));
        await using var holder = await BlockAsync(leases[4].Key, "session_view");

        var appends = await InOneGroupAsync(() => [.. leases.Select(lease => Journal.AppendAsync(lease, Showing(1), default).AsTask())]);

        await AllButAsync(4, appends).WaitAsync(Bound);
        Assert.False(appends[4].IsCompleted);
        await holder.DisposeAsync();
        Assert.True(await appends[4].WaitAsync(Bound));
        Assert.Equal((2L, 2L), await WrittenAsync(leases[4]));

        static JournalAppend Showing(long expected) => new(expected, "{}"u8.ToArray(), 1, Noon, null, "shown"u8.ToArray());
    }

    [Fact]
    public async Task A_table_that_somebody_holds_is_waited_for_by_all_of_a_group()
    {
        var leases = await CreateAsync(12);
        var before = await CreateAsync();
        Assert.True(await AppendAsync(before, 0));
        await using var holder = await HoldAsync("LOCK TABLE session_head IN EXCLUSIVE MODE");

        var first = AppendAsync(before, 1);
        var writer = await WaitForBlockedStatementAsync();
        var appends = leases.Select(lease => AppendAsync(lease, 0)).ToList();
        await EmbeddedServerFolder.UntilAsync("what was refused waits at another connection", async () => (await BlockedAsync()).Exists(process => process != writer));
        await holder.DisposeAsync();

        foreach (var append in appends.Append(first)) Assert.True(await append.WaitAsync(Bound));
        Assert.Equal((2L, 2L), await WrittenAsync(before));
        foreach (var lease in leases) Assert.Equal((1L, 1L), await WrittenAsync(lease));
    }

    [Fact]
    public async Task Sessions_whose_rows_somebody_holds_are_let_go_of_and_opened_without_taking_the_others_connections()
    {
        var leases = await CreateAsync(60);
        var other = await CreateAsync();
        var holder = await HoldAsync($"SELECT 1 FROM session_head WHERE session IN ({string.Join(", ", leases.Select(lease => $"'{lease.Key.Session.Value}'"))}) FOR UPDATE");
        var released = leases.Take(30).Select(lease => Journal.ReleaseAsync(lease, default).AsTask()).ToList();
        var opened = leases.Skip(30).Select(lease => Journal.OpenAsync(lease.Key, lease.Host, create: true, default).AsTask()).ToList();
        await EmbeddedServerFolder.UntilAsync("as many as may wait do", async () => (await BlockedAsync()).Count == HeldHeads.AtOnce);

        await CreateAsync().WaitAsync(Bound);
        await ExecuteAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%session_record%' AND pid <> pg_backend_pid() AND state = 'idle'");
        Assert.True(await AppendAsync(other, 0).WaitAsync(Bound)); // for which its writer needs another connection
        await Journal.ReleaseAsync(other, default).AsTask().WaitAsync(Bound);
        Assert.All(released.Concat<Task>(opened), waits => Assert.False(waits.IsCompleted));
        Assert.InRange((await BlockedAsync()).Count, 0, HeldHeads.AtOnce);

        await holder.DisposeAsync();
        await Task.WhenAll(released).WaitAsync(Bound);
        Assert.All(await Task.WhenAll(opened).WaitAsync(Bound), lease => Assert.Equal(2L, lease!.Epoch));
        Assert.Equal(30 + 1L, await UnownedAsync());
    }

    [Fact]
    public async Task An_append_that_waits_for_its_row_may_be_taken_back_unwritten()
    {
        var lease = await CreateAsync();
        await using var holder = await BlockAsync(lease.Key);
        using var impatient = new CancellationTokenSource();
        var append = AppendAsync(lease, 0, cancellationToken: impatient.Token);
        await WaitForBlockedStatementAsync();

        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => append).WaitAsync(Bound);
        await holder.DisposeAsync();

        Assert.True(await AppendAsync(lease, 0).WaitAsync(Bound));
        Assert.Equal((1L, 1L), await WrittenAsync(lease));
    }

    private async Task<JournalLease[]> CreateAsync(int count) => await Task.WhenAll(Enumerable.Range(0, count).Select(_ => CreateAsync()));

    private static async Task AllButAsync(int held, Task<bool>[] appends)
    {
        for (var i = 0; i < appends.Length; i++)
        {
            if (i != held) Assert.True(await appends[i]);
        }
    }

    private async Task<long> UnownedAsync()
    {
        await using var command = Direct.Owner.CreateCommand("SELECT count(*) FROM session_head WHERE host IS NULL");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>The session's version, and how many records it has.</summary>
    private async Task<(long Version, long Records)> WrittenAsync(JournalLease lease)
    {
        await using var command = Direct.Owner.CreateCommand("SELECT version, (SELECT count(*) FROM session_record AS r WHERE r.session = h.session) FROM session_head AS h WHERE session = $1");
        command.Parameters.Add(new() { Value = lease.Key.Session.Value });
        await using var row = await command.ExecuteReaderAsync();
        await row.ReadAsync();
        return (row.GetInt64(0), row.GetInt64(1));
    }
}

/// <summary>What becomes of an append to a row that nobody lets go.</summary>
public sealed class PostgresNeverLetGoTests : PostgresJournalFaults
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    protected override (string Key, string Value)[] Settings => [("Journal:RowPatience", "00:00:00.2"), ("Journal:StatementTimeout", "00:00:01")];

    [Fact]
    public async Task A_row_that_nobody_lets_go_its_append_is_refused_unwritten_and_may_be_made_again()
    {
        var lease = await CreateAsync();
        await using var holder = await BlockAsync(lease.Key);

        var refused = await Assert.ThrowsAsync<PortException>(() => AppendAsync(lease, 0)).WaitAsync(Bound);
        await holder.DisposeAsync();

        Assert.Equal((PortFailureKind.Unavailable, false), (refused.Kind, refused.EffectMayHaveHappened));
        Assert.Null(await Direct.Journal.FindHeadAsync(lease.Key, default));
        Assert.True(await AppendAsync(lease, 0));
    }

    [Fact]
    public async Task A_host_that_stops_waits_for_no_row()
    {
        await using var stopping = new PostgresSessions(ConnectionString, ("Journal:Writers", "1"), ("Journal:RowPatience", "00:00:00.5"), ("Journal:StatementTimeout", "00:10:00"));
        var lease = await CreateAsync();
        await using var holder = await BlockAsync(lease.Key);
        var append = stopping.Journal.AppendAsync(lease, new(0, "{}"u8.ToArray(), 1, Noon, null, null), default).AsTask();
        await WaitForBlockedStatementAsync();

        await stopping.DisposeAsync().AsTask().WaitAsync(Bound);

        var refused = await Assert.ThrowsAsync<PortException>(() => append);
        Assert.Equal((PortFailureKind.Unavailable, false), (refused.Kind, refused.EffectMayHaveHappened));
    }
}
