using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Conformance.Postgres;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionJournal;

public sealed class PostgresSessionJournalTests(PostgresFixture fixture) : SessionJournalArchiveContract, IClassFixture<PostgresFixture>, IAsyncLifetime
{
    private readonly PostgresSessions sessions = new(fixture.ConnectionString);

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

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await sessions.DisposeAsync();

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

    private async Task ExecuteAsync(string sql)
    {
        await using var command = sessions.Owner.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
