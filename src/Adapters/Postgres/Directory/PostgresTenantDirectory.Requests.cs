using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Microsoft.EntityFrameworkCore;

namespace Coordinator.Adapters.Postgres;

internal sealed partial class PostgresTenantDirectory
{
    private static readonly TimeSpan AnswersKept = TimeSpan.FromHours(24);
    private static readonly TimeSpan ClaimHeld = TimeSpan.FromMinutes(5);

    /// <summary>How many forgotten requests a new claim clears away: more than one, so that the table shrinks to what is kept.</summary>
    private const int ClearedPerClaim = 5;

    public ValueTask<RequestClaim> ClaimRequestAsync(OrganizationId organization, string scope, string key, ReadOnlyMemory<byte> bodyHash, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var request = new RequestName(organization.Value, scope, key);
        var hash = bodyHash.ToArray();
        return transactions.ForOrganizationAsync<RequestClaim>(
            organization,
            async (context, ct) =>
            {
                if (await TryClaimAsync(context, request, hash, now.ToUniversalTime(), ct)) return new RequestClaim.Mine();

                // The statement above locked or saw the row; when it is gone by now, its claimant has just given it back.
                var known = await Rows(context, request).AsNoTracking().FirstOrDefaultAsync(ct);
                if (known is null) return new RequestClaim.InProgress();
                if (!known.BodyHash.AsSpan().SequenceEqual(hash)) return new RequestClaim.Differs();
                return known.Status is { } status ? new RequestClaim.Answered(new(status, known.ContentType ?? string.Empty, known.Body ?? [])) : new RequestClaim.InProgress();
            },
            cancellationToken);
    }

    public async ValueTask CompleteRequestAsync(OrganizationId organization, string scope, string key, StoredAnswer answer, CancellationToken cancellationToken) =>
        await transactions.ForOrganizationAsync(
            organization,
            (context, ct) => Rows(context, new(organization.Value, scope, key)).Where(row => row.Status == null).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.Status, answer.Status).SetProperty(row => row.ContentType, answer.ContentType).SetProperty(row => row.Body, answer.Body), ct),
            cancellationToken);

    public async ValueTask AbandonRequestAsync(OrganizationId organization, string scope, string key, CancellationToken cancellationToken) =>
        await transactions.ForOrganizationAsync(
            organization,
            (context, ct) => Rows(context, new(organization.Value, scope, key)).Where(row => row.Status == null).ExecuteDeleteAsync(ct),
            cancellationToken);

    /// <summary>One statement decides who has the claim: a new one, one whose claimant went silent, or one that is forgotten.</summary>
    private static async Task<bool> TryClaimAsync(DirectoryContext context, RequestName request, byte[] hash, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (silentBefore, forgottenBefore) = (now - ClaimHeld, now - AnswersKept);
        var claimed = await context.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO idempotent_request AS known (org, scope, key, body_hash, claimed_at)
            VALUES ({request.Org}, {request.Scope}, {request.Key}, {hash}, {now})
            ON CONFLICT (org, scope, key) DO UPDATE
            SET body_hash = excluded.body_hash, claimed_at = excluded.claimed_at, status = NULL, content_type = NULL, body = NULL
            WHERE known.claimed_at <= {forgottenBefore}
               OR (known.status IS NULL AND known.claimed_at <= {silentBefore} AND known.body_hash = excluded.body_hash)
            """,
            cancellationToken);
        if (claimed == 0) return false;
        await context.Database.ExecuteSqlAsync(
            $"""
            DELETE FROM idempotent_request WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM idempotent_request WHERE org = {request.Org} AND claimed_at <= {forgottenBefore} LIMIT {ClearedPerClaim} FOR UPDATE SKIP LOCKED))
            """,
            cancellationToken);
        return true;
    }

    private static IQueryable<IdempotentRequestRow> Rows(DirectoryContext context, RequestName request) =>
        context.IdempotentRequests.Where(row => row.Org == request.Org && row.Scope == request.Scope && row.Key == request.Key);

    private readonly record struct RequestName(Guid Org, string Scope, string Key);
}
