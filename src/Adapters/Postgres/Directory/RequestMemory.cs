using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>Remembers idempotent requests. A claim is one round trip: taken, or the answer that stands.</summary>
internal sealed class RequestMemory(TenantStatements statements)
{
    private static readonly TimeSpan AnswersKept = TimeSpan.FromHours(24);
    private static readonly TimeSpan ClaimHeld = TimeSpan.FromMinutes(5);

    /// <summary>How many forgotten requests each claim clears away: more than it adds, so that the table shrinks to what is kept.</summary>
    private const int ClearedPerClaim = 5;

    /// <summary>
    /// Decides in one statement who has the claim: a new one ($5), one whose claimant went silent (before $7), or one that
    /// is forgotten (before $6).
    /// </summary>
    private const string Claim = """
        INSERT INTO idempotent_request AS known (org, scope, key, body_hash, claimed_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (org, scope, key) DO UPDATE
        SET body_hash = excluded.body_hash, claimed_at = excluded.claimed_at, status = NULL, content_type = NULL, body = NULL
        WHERE known.claimed_at <= $6 OR (known.status IS NULL AND known.claimed_at <= $7 AND known.body_hash = excluded.body_hash)
        RETURNING 1
        """;

    private const string Known = "SELECT body_hash, status, content_type, body FROM idempotent_request WHERE org = $1 AND scope = $2 AND key = $3";

    private const string Clear = """
        DELETE FROM idempotent_request WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM idempotent_request WHERE org = $1 AND claimed_at <= $2 LIMIT $3 FOR UPDATE SKIP LOCKED))
        """;

    /// <summary>
    /// A claim does not wait for the disk: whatever its request goes on to write is flushed behind it, and a claim that a
    /// crash took with it was of a request that had done nothing yet.
    /// </summary>
    private const string Unforced = "SET LOCAL synchronous_commit = off";

    private const string Complete = "UPDATE idempotent_request SET status = $4, content_type = $5, body = $6 WHERE org = $1 AND scope = $2 AND key = $3 AND status IS NULL";

    private const string Abandon = "DELETE FROM idempotent_request WHERE org = $1 AND scope = $2 AND key = $3 AND status IS NULL";

    public ValueTask<RequestClaim> ClaimAsync(OrganizationId organization, string scope, string key, byte[] bodyHash, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var (org, now) = (organization.Value, at.ToUniversalTime());
        var forgotten = now - AnswersKept;
        return statements.WriteAsync<RequestClaim>(
            TenantScope.Of(organization),
            "claiming a request",
            [new(Claim, org, scope, key, bodyHash, now, forgotten, now - ClaimHeld), new(Known, org, scope, key), new(Clear, org, forgotten, ClearedPerClaim), new(Unforced)],
            async (reader, ct) =>
            {
                var mine = await reader.ReadAsync(ct);
                await reader.NextResultAsync(ct);
                if (mine) return new RequestClaim.Mine();

                // Not there: whoever had the claim gave it back between the two statements.
                return await reader.ReadAsync(ct) ? Standing(reader, bodyHash) : new RequestClaim.InProgress();
            },
            cancellationToken);
    }

    public async ValueTask CompleteAsync(OrganizationId organization, string scope, string key, StoredAnswer answer, CancellationToken cancellationToken) =>
        await WriteAsync(organization, "storing a request's answer", new(Complete, organization.Value, scope, key, answer.Status, answer.ContentType, answer.Body), cancellationToken);

    public async ValueTask AbandonAsync(OrganizationId organization, string scope, string key, CancellationToken cancellationToken) =>
        await WriteAsync(organization, "giving a request back", new(Abandon, organization.Value, scope, key), cancellationToken);

    private static RequestClaim Standing(NpgsqlDataReader reader, byte[] bodyHash)
    {
        if (!reader.GetFieldValue<byte[]>(0).AsSpan().SequenceEqual(bodyHash)) return new RequestClaim.Differs();
        return reader.IsDBNull(1) ? new RequestClaim.InProgress() : new RequestClaim.Answered(new(reader.GetInt32(1), reader.GetString(2), reader.GetFieldValue<byte[]>(3)));
    }

    private ValueTask<bool> WriteAsync(OrganizationId organization, string doing, Statement statement, CancellationToken cancellationToken) =>
        statements.WriteAsync(TenantScope.Of(organization), doing, [statement], (_, _) => Task.FromResult(true), cancellationToken);
}
