using Coordinator.Ports;
using Coordinator.Ports.Session;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionJournal;

/// <summary>Leases that are given back at the same time.</summary>
public sealed class PostgresLeaseReturnTests : PostgresJournalFaults
{
    private const int Leases = 100;

    [Fact]
    public async Task What_a_host_gives_back_together_shares_a_statement_and_each_as_it_was_meant()
    {
        var leases = await Task.WhenAll(Enumerable.Range(0, Leases).Select(_ => CreateAsync()));
        foreach (var lease in leases) Assert.True(await Journal.AppendAsync(lease, new(0, "{}"u8.ToArray(), 1, Noon, Noon.AddYears(50), null), default));
        foreach (var fenced in leases[^2..]) await Direct.Journal.OpenAsync(fenced.Key, HostId.New(TimeProvider.System), create: true, default);
        await ExecuteAsync("""
            CREATE SEQUENCE asked;
            CREATE FUNCTION ask() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN PERFORM nextval('asked'); RETURN NULL; END $$;
            CREATE TRIGGER ask AFTER UPDATE ON session_head FOR EACH STATEMENT EXECUTE FUNCTION ask();
            """);

        await using (var blocker = await Direct.Owner.OpenConnectionAsync())
        {
            await ExecuteAsync(blocker, "BEGIN; LOCK TABLE session_head IN SHARE ROW EXCLUSIVE MODE");
            List<Task> given = [Journal.ReleaseAsync(leases[0], default).AsTask()];
            await WaitForBlockedStatementAsync();
            for (var i = 1; i < Leases; i++) given.Add(i % 2 == 1 ? Journal.HandOverAsync(leases[i], default).AsTask() : Journal.ReleaseAsync(leases[i], default).AsTask());
            await ExecuteAsync(blocker, "ROLLBACK");
            await Task.WhenAll(given);
        }

        await using (var asked = Direct.Owner.CreateCommand("SELECT last_value FROM asked")) Assert.InRange((long)(await asked.ExecuteScalarAsync())!, 2, 2 + 2); // and the two that are not theirs any more, each for itself
        for (var i = 0; i < Leases; i++)
        {
            var head = (await Direct.Journal.FindHeadAsync(leases[i].Key, default))!;
            var (isTheirs, isHandedOver) = (i >= Leases - 2, i % 2 == 1);
            Assert.Equal((isTheirs, isHandedOver && !isTheirs), (head.Host is not null, head.WakeAt < Noon.AddYears(50)));
            Assert.False(await AppendAsync(leases[i], 1));
        }
    }

    [Fact]
    public async Task A_lease_whose_row_somebody_holds_keeps_no_other_from_being_given_back()
    {
        var (held, free) = (await CreateAsync(), await CreateAsync());
        foreach (var lease in (JournalLease[])[held, free]) Assert.True(await AppendAsync(lease, 0));
        Task waiting;
        await using (await BlockAsync(held.Key))
        {
            waiting = Journal.ReleaseAsync(held, default).AsTask();
            var blocked = await WaitForBlockedStatementAsync();
            await using (var query = Direct.Owner.CreateCommand($"SELECT query FROM pg_stat_activity WHERE pid = {blocked}"))
                Assert.DoesNotContain("unnest", (string)(await query.ExecuteScalarAsync())!, StringComparison.Ordinal); // not the one that it shares
            await Journal.ReleaseAsync(free, default);
            Assert.Null((await Direct.Journal.FindHeadAsync(free.Key, default))!.Host);
            Assert.False(waiting.IsCompleted);
        }

        await waiting;
        Assert.Null((await Direct.Journal.FindHeadAsync(held.Key, default))!.Host);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
