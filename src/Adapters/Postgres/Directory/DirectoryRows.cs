using Coordinator.Ports;
using Coordinator.Ports.Identity;

namespace Coordinator.Adapters.Postgres;

/// <summary>A row of <c>person</c>.</summary>
internal sealed class PersonRow
{
    public required Guid Id { get; init; }

    public required string DisplayName { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A row of <c>organization</c>.</summary>
internal sealed class OrganizationRow
{
    public required Guid Org { get; init; }

    public required string Name { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A row of <c>membership</c>.</summary>
internal sealed class MembershipRow
{
    public required Guid Org { get; init; }

    public required Guid Person { get; init; }

    public required Role Role { get; set; }

    public required DateTimeOffset Since { get; init; }
}

/// <summary>A row of <c>personal_credential</c>: a browser session or a sign-in link.</summary>
internal sealed class PersonalCredentialRow
{
    public required Guid Id { get; init; }

    public required CredentialKind Kind { get; init; }

    public required byte[] Hash { get; init; }

    public required string Hint { get; init; }

    public required string Name { get; init; }

    public required Guid Person { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? SpentAt { get; set; }

    public DateTimeOffset? RevokedAt { get; set; }
}

/// <summary>A row of <c>api_key</c>.</summary>
internal sealed class ApiKeyRow
{
    public required Guid Org { get; init; }

    public required Guid Id { get; init; }

    public required byte[] Hash { get; init; }

    public required string Hint { get; init; }

    public required string Name { get; init; }

    public required Guid Person { get; init; }

    public required Role Role { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public DateTimeOffset? RevokedAt { get; set; }

    public Guid? Parent { get; init; }
}

/// <summary>A row of <c>secret</c>.</summary>
internal sealed class SecretRow
{
    public required Guid Org { get; init; }

    public required string Name { get; init; }

    public required string KeyId { get; set; }

    public required byte[] Ciphertext { get; set; }

    public required string Hint { get; set; }

    public required DateTimeOffset UpdatedAt { get; set; }
}

/// <summary>A row of <c>idempotent_request</c>; unanswered while <see cref="Status"/> is null.</summary>
internal sealed class IdempotentRequestRow
{
    public required Guid Org { get; init; }

    public required string Scope { get; init; }

    public required string Key { get; init; }

    public required byte[] BodyHash { get; init; }

    public required DateTimeOffset ClaimedAt { get; init; }

    public Guid? Claim { get; set; }

    public DateTimeOffset? HeldUntil { get; set; }

    public int? Status { get; set; }

    public string? ContentType { get; set; }

    public byte[]? Body { get; set; }
}
