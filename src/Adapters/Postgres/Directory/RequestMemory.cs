using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>Remembers idempotent requests. A claim is one round trip: taken, or the answer that stands.</summary>
internal sealed class RequestMemory(TenantStatements statements)
{
    private static readonly TimeSpan AnswersKept = TimeSpan.FromHours(24);

    /// <summary>Of so many claims one, by chance, clears away what is forgotten of its organization: to look costs more than to claim.</summary>
    private const int ClaimsPerClearing = 64;

    /// <summary>How many forgotten requests it clears away: five for each that was added, so that the table shrinks to what is kept.</summary>
    private const int ClearedAtOnce = 5 * ClaimsPerClearing;

    /// <summary>
    /// Decides in one statement who has the claim: a new one ($5), one that is not held any more, by the server's clock, or
    /// one that is forgotten (before $6). A release that knew of no holding left its claims without an end: five minutes.
    /// </summary>
    private const string Claim = """
        INSERT INTO idempotent_request AS known (org, scope, key, body_hash, claimed_at, claim, held_until)
        VALUES ($1, $2, $3, $4, $5, gen_random_uuid(), clock_timestamp() + $7)
        ON CONFLICT (org, scope, key) DO UPDATE
        SET body_hash = excluded.body_hash, claimed_at = excluded.claimed_at, claim = excluded.claim, held_until = excluded.held_until,
            status = NULL, content_type = NULL, body = NULL
        WHERE known.claimed_at <= $6
           OR (known.status IS NULL AND known.body_hash = excluded.body_hash
               AND coalesce(known.held_until, known.claimed_at + interval '5 minutes') <= clock_timestamp())
        RETURNING claim
        """;

    private const string Hold = """
        UPDATE idempotent_request SET held_until = clock_timestamp() + $5
        WHERE org = $1 AND scope = $2 AND key = $3 AND claim = $4
        RETURNING 1
        """;

    private const string Known = "SELECT body_hash, status, content_type, body, claim FROM idempotent_request WHERE org = $1 AND scope = $2 AND key = $3";

    private const string Clear = """
        DELETE FROM idempotent_request WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM idempotent_request WHERE org = $1 AND claimed_at <= $2 LIMIT $3 FOR UPDATE SKIP LOCKED))
        """;

    /// <summary>
    /// A claim does not wait for the disk: whatever its request goes on to write is flushed behind it, and a claim that a
    /// crash took with it was of a request that had done nothing yet.
    /// </summary>
    private const string Unforced = $"SELECT {UnforcedCommit.Sql}";

    private const string Complete = "UPDATE idempotent_request SET status = $5, content_type = $6, body = $7 WHERE org = $1 AND scope = $2 AND key = $3 AND claim = $4 AND status IS NULL";

    private const string Abandon = "DELETE FROM idempotent_request WHERE org = $1 AND scope = $2 AND key = $3 AND claim = $4 AND status IS NULL";

    public ValueTask<RequestClaim> ClaimAsync(OrganizationId organization, string scope, string key, byte[] bodyHash, DateTimeOffset at, TimeSpan held, CancellationToken cancellationToken)
    {
        var (org, now) = (organization.Value, at.ToUniversalTime());
        var forgotten = now - AnswersKept;
        List<Statement> claiming = [new(Claim, org, scope, key, bodyHash, now, forgotten, held), new(Known, org, scope, key), new(Unforced)];
        if (Random.Shared.Next(ClaimsPerClearing) == 0) claiming.Add(new(Clear, org, forgotten, ClearedAtOnce));
        return statements.WriteAsync<RequestClaim>(
            TenantScope.Of(organization),
            "claiming a request",
            claiming,
            async (reader, ct) =>
            {
                if (await reader.ReadAsync(ct)) return new RequestClaim.Mine(reader.GetGuid(0));
                await reader.NextResultAsync(ct);

                // Not there: whoever had the claim gave it back between the two statements.
                return await reader.ReadAsync(ct) ? Standing(reader, bodyHash) : new RequestClaim.InProgress(null);
            },
            cancellationToken);
    }

    public ValueTask<bool> HoldAsync(OrganizationId organization, string scope, string key, Guid claim, TimeSpan held, CancellationToken cancellationToken) =>
        statements.WriteAsync(TenantScope.Of(organization), "holding a request", [new(Hold, organization.Value, scope, key, claim, held), new(Unforced)], static (reader, ct) => reader.ReadAsync(ct), cancellationToken);

    public async ValueTask CompleteAsync(OrganizationId organization, string scope, string key, Guid claim, StoredAnswer answer, bool repeatsRecognised, CancellationToken cancellationToken)
    {
        Statement complete = new(Complete, organization.Value, scope, key, claim, answer.Status, answer.ContentType, answer.Body);
        await WriteAsync(organization, "storing a request's answer", repeatsRecognised ? [complete, new(Unforced)] : [complete], cancellationToken);
    }

    public async ValueTask AbandonAsync(OrganizationId organization, string scope, string key, Guid claim, CancellationToken cancellationToken) =>
        await WriteAsync(organization, "giving a request back", [new(Abandon, organization.Value, scope, key, claim)], cancellationToken);

    private static RequestClaim Standing(NpgsqlDataReader reader, byte[] bodyHash)
    {
        if (!reader.GetFieldValue<byte[]>(0).AsSpan().SequenceEqual(bodyHash)) return new RequestClaim.Differs();
        return reader.IsDBNull(1) ? new RequestClaim.InProgress(reader.IsDBNull(4) ? null : reader.GetGuid(4)) : new RequestClaim.Answered(new(reader.GetInt32(1), reader.GetString(2), reader.GetFieldValue<byte[]>(3)));
    }

    private ValueTask<bool> WriteAsync(OrganizationId organization, string doing, IReadOnlyList<Statement> writing, CancellationToken cancellationToken) =>
        statements.WriteAsync(TenantScope.Of(organization), doing, writing, (_, _) => Task.FromResult(true), cancellationToken);
}
