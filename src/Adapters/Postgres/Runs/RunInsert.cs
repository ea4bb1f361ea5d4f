using System.Buffers.Binary;
using Coordinator.Ports;
using Coordinator.Ports.Record;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// A run's write, in one round trip: the lock, and one statement that finds the end of the session's chain, hashes the run onto it
/// by the rule of <see cref="RunChain"/>, and inserts it unless it is there. A client waits right behind a turn whose run this is.
/// </summary>
internal static class RunInsert
{
    private const string Lock = "SELECT pg_advisory_xact_lock($1)";

    private const string Insert = """
        INSERT INTO run (org, id, session, message, ordinal, requested_by_kind, requested_by_id, requested_by_name, model, agent, sandbox, generation,
            sandbox_provider, outcome, failure_code, usage_model, input_tokens, output_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens,
            cost_usd, queued_at, started_at, ended_at, first_seq, last_seq, events_digest, position, previous_hash, hash)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::text, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28,
            last.position + 1, last.hash, encode(sha256(convert_to(last.hash || E'\n', 'UTF8') || $29), 'hex')
        FROM (
            (SELECT position, hash FROM run WHERE org = $1 AND session = $3 ORDER BY position DESC LIMIT 1)
            UNION ALL
            (SELECT 0, $30::text)
            ORDER BY position DESC LIMIT 1
        ) AS last
        WHERE NOT EXISTS (SELECT FROM run WHERE org = $1 AND id = $2)
        """;

    /// <summary>
    /// Writers of one session take turns by a lock that ends with their transaction; the statement behind it sees what the one
    /// before it committed.
    /// </summary>
    public static IReadOnlyList<Statement> Of(RunRecord run) =>
    [
        new(Lock, LockOf(run.Session)),
        new(
            Insert,
            run.Organization.Value,
            run.Id.Value,
            run.Session.Value,
            run.Message.Value,
            run.Ordinal,
            SnakeCaseName<PrincipalKind>.Of(run.RequestedBy.Kind),
            run.RequestedBy.Id,
            run.RequestedBy.DisplayName,
            run.Model,
            run.Agent,
            run.Sandbox.Value,
            run.Generation,
            run.SandboxProvider,
            run.Outcome,
            (object?)run.FailureCode ?? DBNull.Value,
            run.Usage.Model,
            run.Usage.InputTokens,
            run.Usage.OutputTokens,
            run.Usage.ReasoningTokens,
            run.Usage.CacheReadTokens,
            run.Usage.CacheWriteTokens,
            run.Usage.CostUsd,
            RunChain.Kept(run.QueuedAt),
            RunChain.Kept(run.StartedAt),
            RunChain.Kept(run.EndedAt),
            run.FirstSeq,
            run.LastSeq,
            run.EventsDigest,
            RunChain.CanonicalJson(run),
            RunChain.Genesis),
    ];

    /// <summary>Two sessions with the same lock wait for each other now and then, and nothing else.</summary>
    private static long LockOf(SessionId session)
    {
        Span<byte> bytes = stackalloc byte[16];
        session.Value.TryWriteBytes(bytes, bigEndian: true, out _);
        return BinaryPrimitives.ReadInt64BigEndian(bytes[8..]) ^ BinaryPrimitives.ReadInt64BigEndian(bytes);
    }
}
