using Coordinator.Ports.Session;
using Coordinator.Tests.Conformance.Postgres;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionJournal;

public sealed class PostgresSessionJournalTests(PostgresFixture fixture) : SessionJournalReadingContract, IClassFixture<PostgresFixture>, IAsyncLifetime
{
    private readonly PostgresSessions sessions = new(fixture.ConnectionString);

    protected override ISessionJournal Journal => sessions.Journal;

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => sessions.DisposeAsync().AsTask();
}
