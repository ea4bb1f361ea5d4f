using Coordinator.Ports;
using Coordinator.Ports.Record;
using Microsoft.EntityFrameworkCore;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// Run history in PostgreSQL. Writers of one session take turns (<see cref="RunInsert"/>); that the chain cannot fork is a
/// constraint of the table, so a mistake here could only ever refuse a run.
/// </summary>
internal sealed class PostgresRunHistory(TenantTransactions<RunContext> transactions, TenantStatements statements) : IRunHistory
{
    public async ValueTask FlushAsync(RunRecord run, CancellationToken cancellationToken)
    {
        RunTexts.Check(run);
        await statements.WriteAsync(TenantScope.Of(run.Organization), "writing a run", RunInsert.Of(run), static (_, _) => Task.FromResult(true), cancellationToken);
    }

    public ValueTask<IReadOnlyList<StoredRun>> ListAsync(OrganizationId organization, SessionId? session, RunId? before, int limit, CancellationToken cancellationToken) =>
        transactions.ForOrganizationAsync<IReadOnlyList<StoredRun>>(
            organization,
            async (context, ct) =>
            {
                var runs = session is { } one ? OfSession(context, organization, one) : context.Runs.AsNoTracking().Where(row => row.Org == organization.Value);
                if (before is { } id)
                {
                    if (await runs.FirstOrDefaultAsync(row => row.Id == id.Value, ct) is not { } last) return [];
                    runs = runs.Where(row => EF.Functions.LessThan(ValueTuple.Create(row.EndedAt, row.Ordinal, row.Id), ValueTuple.Create(last.EndedAt, last.Ordinal, last.Id)));
                }

                var page = await runs.OrderByDescending(row => row.EndedAt).ThenByDescending(row => row.Ordinal).ThenByDescending(row => row.Id).Take(limit).ToListAsync(ct);
                return [.. page.Select(RunMapping.ToStored)];
            },
            cancellationToken);

    public ValueTask<StoredRun?> FindAsync(OrganizationId organization, RunId run, CancellationToken cancellationToken) =>
        transactions.ForOrganizationAsync(
            organization,
            async (context, ct) => await context.Runs.AsNoTracking().FirstOrDefaultAsync(row => row.Org == organization.Value && row.Id == run.Value, ct) is { } found ? RunMapping.ToStored(found) : null,
            cancellationToken);

    public ValueTask<RunId?> VerifyChainAsync(OrganizationId organization, SessionId session, CancellationToken cancellationToken) =>
        transactions.ForOrganizationAsync(
            organization,
            async (context, ct) =>
            {
                var previous = RunChain.Genesis;
                await foreach (var row in OfSession(context, organization, session).OrderBy(row => row.Position).AsAsyncEnumerable().WithCancellation(ct))
                {
                    var stored = RunMapping.ToStored(row);
                    if (!RunChain.Follows(previous, stored)) return (RunId?)stored.Run.Id;
                    previous = stored.Hash;
                }

                return null;
            },
            cancellationToken);

    private static IQueryable<RunRow> OfSession(RunContext context, OrganizationId organization, SessionId session) =>
        context.Runs.AsNoTracking().Where(row => row.Org == organization.Value && row.Session == session.Value);
}
