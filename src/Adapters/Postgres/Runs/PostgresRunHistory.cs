using System.Buffers.Binary;
using Coordinator.Ports;
using Coordinator.Ports.Record;
using Microsoft.EntityFrameworkCore;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// Run history in PostgreSQL. Writers of one session take turns by a lock that ends with their transaction; that the
/// chain cannot fork is a constraint of the table, so a mistake here could only ever refuse a run.
/// </summary>
internal sealed class PostgresRunHistory(TenantTransactions<RunContext> transactions) : IRunHistory
{
    public async ValueTask FlushAsync(RunRecord run, CancellationToken cancellationToken) =>
        await transactions.ForOrganizationAsync(
            run.Organization,
            async (context, ct) =>
            {
                await context.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({LockOf(run.Session)})", ct);
                if (await context.Runs.AnyAsync(row => row.Org == run.Organization.Value && row.Id == run.Id.Value, ct)) return 0;
                var last = await OfSession(context, run.Organization, run.Session).OrderByDescending(row => row.Position).Select(row => new { row.Position, row.Hash }).FirstOrDefaultAsync(ct);
                context.Add(RunMapping.ToRow(run, (last?.Position ?? 0) + 1, last?.Hash ?? RunChain.Genesis));
                return await context.SaveChangesAsync(ct);
            },
            cancellationToken);

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

    /// <summary>Two sessions with the same lock wait for each other now and then, and nothing else.</summary>
    private static long LockOf(SessionId session)
    {
        Span<byte> bytes = stackalloc byte[16];
        session.Value.TryWriteBytes(bytes, bigEndian: true, out _);
        return BinaryPrimitives.ReadInt64BigEndian(bytes[8..]) ^ BinaryPrimitives.ReadInt64BigEndian(bytes);
    }
}
