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

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => sessions.DisposeAsync().AsTask();
}
