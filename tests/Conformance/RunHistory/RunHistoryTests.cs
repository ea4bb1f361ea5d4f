using Coordinator.Adapters.Postgres;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.RunHistory;

public sealed class InMemoryRunHistoryTests : RunHistoryContract
{
    private readonly InMemoryRunHistory history = new();

    protected override IRunHistory History => history;

    protected override ValueTask TamperAsync(OrganizationId organization, RunId run, string outcome)
    {
        history.Tamper(organization, run, stored => stored with { Outcome = outcome });
        return ValueTask.CompletedTask;
    }
}

public sealed class PostgresRunHistoryTests : RunHistoryContract, IClassFixture<PostgresFixture>
{
    private readonly PostgresFixture postgres;

    public PostgresRunHistoryTests(PostgresFixture postgres)
    {
        this.postgres = postgres;
        var services = new ServiceCollection();
        services.AddSingleton(postgres.DataSource);
        History = services.AddPostgresRunHistory().BuildServiceProvider().GetRequiredService<IRunHistory>();
    }

    protected override IRunHistory History { get; }

    protected override async ValueTask TamperAsync(OrganizationId organization, RunId run, string outcome)
    {
        await using var command = postgres.Owner.CreateCommand("UPDATE run SET outcome = $1 WHERE org = $2 AND id = $3");
        foreach (var value in new object[] { outcome, organization.Value, run.Value }) command.Parameters.Add(new() { Value = value });
        await command.ExecuteNonQueryAsync();
    }
}
