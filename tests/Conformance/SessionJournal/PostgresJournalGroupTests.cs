using System.Text;
using Coordinator.Adapters.Postgres;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionJournal;

/// <summary>What the appends of one group see of each other, which is nothing.</summary>
public sealed class PostgresJournalGroupTests : PostgresJournalFaults
{
    private const string Repository = "https://example.com/one.git";

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

            await using var asked = Direct.Owner.CreateCommand("SELECT last_value FROM asked");
            return (long)(await asked.ExecuteScalarAsync())!;
        }
    }

    [Fact]
    public async Task In_one_group_each_is_told_whether_it_was_written_or_fenced()
    {
        var leases = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => CreateAsync()));
        foreach (var fenced in leases.Take(2)) await Direct.Journal.OpenAsync(fenced.Key, HostId.New(TimeProvider.System), create: true, default);

        var appends = await InOneGroupAsync(() => [.. leases.Select(lease => AppendAsync(lease, 0))]);

        var written = await Task.WhenAll(appends);

        Assert.Equal([false, false, true, true, true, true], written);
        Assert.Null(await Direct.Journal.FindHeadAsync(leases[0].Key, default));
        Assert.Equal(1, (await Direct.Journal.FindHeadAsync(leases[5].Key, default))!.Version);
    }

    [Fact]
    public async Task A_lease_that_repeats_itself_among_others_is_not_told_that_it_was_written()
    {
        var (other, repeating) = (await CreateAsync(), await CreateAsync());
        Assert.True(await AppendAsync(repeating, 0));

        var appends = await InOneGroupAsync(() => [AppendAsync(other, 0), AppendAsync(repeating, 0, "again")]);
        var written = await Task.WhenAll(appends);

        Assert.Equal([true, false], written);
        Assert.Equal(1, (await Direct.Journal.FindHeadAsync(repeating.Key, default))!.Version);
    }

    [Fact]
    public async Task In_one_group_each_shows_and_discovers_what_is_its_own()
    {
        var leases = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => CreateAsync()));
        await Direct.Journal.OpenAsync(leases[7].Key, HostId.New(TimeProvider.System), create: true, default);

        foreach (var discovers in (bool[])[false, true])
        {
            var version = discovers ? 1 : 0;
            var appends = await InOneGroupAsync(() => [.. leases.Select((lease, i) => Journal.AppendAsync(lease, Showing(lease, i, version, discovers), default).AsTask())]);
            var written = await Task.WhenAll(appends);

            Assert.Equal([true, true, true, true, true, true, true, false], written);
            for (var i = 0; i < 7; i++)
            {
                var head = (await Direct.Journal.FindHeadAsync(leases[i].Key, default))!;
                Assert.Equal((version + 1L, i % 2 == 0 ? $"view {i} {version}" : ""), (head.Version, Encoding.UTF8.GetString(head.View.Span)));
                Assert.Equal(discovers && i % 3 == 0 ? $$"""{"of":{{i}}}""" : null, await Direct.Journal.FindEnvironmentAsync(leases[i].Key.Organization, Repository, default));
            }
        }

        Assert.Null(await Direct.Journal.FindEnvironmentAsync(leases[7].Key.Organization, Repository, default));
    }

    [Fact]
    public async Task An_append_leaves_the_same_rows_alone_as_among_others()
    {
        var (alone, among, other) = (await CreateAsync(), await CreateAsync(), await CreateAsync());
        (int Events, DateTimeOffset? WakeAt, string? View)[] steps =
        [
            (1, null, "made"), (2, Noon, null), (0, Noon, "shown again"), (0, Noon, null), (3, Noon.AddMinutes(1), null), (1, Noon.AddMinutes(2), "moved"), (0, null, ""), (1, null, null),
        ];
        foreach (var (step, i) in steps.Select((step, i) => (step, i)))
        {
            await ExecuteAsync($"UPDATE session_head SET hidden_until = '{Noon:O}' WHERE wake_at IS NOT NULL"); // an alarm that was handed out, which only an append that moves it shows again

            Assert.True(await Journal.AppendAsync(alone, Step(), default));
            foreach (var append in await InOneGroupAsync(() => [Journal.AppendAsync(among, Step(), default).AsTask(), AppendAsync(other, i)])) Assert.True(await append);

            Assert.Equal(await RowsAsync(alone), await RowsAsync(among));

            JournalAppend Step() => new(i, Encoding.UTF8.GetBytes($"{{\"step\":{i}}}"), step.Events, Noon, step.WakeAt, step.View is { } view ? Encoding.UTF8.GetBytes(view) : null);
        }
    }

    [Fact]
    public async Task Part_of_a_group_written_and_nobody_to_say_which_the_outcome_is_said_to_be_unknown()
    {
        var (good, fenced) = (await CreateAsync(), await CreateAsync());
        await Direct.Journal.OpenAsync(fenced.Key, HostId.New(TimeProvider.System), create: true, default);
        await ExecuteAsync($"REVOKE SELECT ON session_record FROM {DatabaseRoles.Of(Database).Host}");

        var appends = await InOneGroupAsync(() => [AppendAsync(good, 0), AppendAsync(fenced, 0)]);

        foreach (var append in appends) Assert.True((await Assert.ThrowsAsync<PortException>(() => append)).EffectMayHaveHappened);
        Assert.Equal(1, (await Direct.Journal.FindHeadAsync(good.Key, default))!.Version);
    }

    /// <summary>Every second shows something, and every third discovers something, of which some do neither and some both.</summary>
    private static JournalAppend Showing(JournalLease lease, int i, long expected, bool discovers) =>
        new(expected, Encoding.UTF8.GetBytes($"{{\"of\":\"{lease.Key.Session}\"}}"), 1, Noon, i % 4 == 0 ? Noon : null, i % 2 == 0 ? Encoding.UTF8.GetBytes($"view {i} {expected}") : null)
        {
            Environment = discovers && i % 3 == 0 ? new(Repository, $$"""{"of":{{i}}}""") : null,
        };

    /// <summary>All that is kept of a session but who it is and when that was written.</summary>
    private async Task<string> RowsAsync(JournalLease lease)
    {
        await using var command = Direct.Owner.CreateCommand("""
            SELECT jsonb_build_array(
                (SELECT to_jsonb(head) - '{org,session,host,epoch,created_at,updated_at}'::text[] FROM session_head AS head WHERE session = $1),
                (SELECT convert_from(view, 'UTF8') FROM session_view WHERE session = $1),
                (SELECT jsonb_agg(to_jsonb(record) - '{org,session,epoch}'::text[] ORDER BY version) FROM session_record AS record WHERE session = $1))::text
            """);
        command.Parameters.Add(new() { Value = lease.Key.Session.Value });
        return (string)(await command.ExecuteScalarAsync())!;
    }
}
