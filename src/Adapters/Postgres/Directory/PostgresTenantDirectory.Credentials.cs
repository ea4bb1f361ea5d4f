using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Microsoft.EntityFrameworkCore;

namespace Coordinator.Adapters.Postgres;

internal sealed partial class PostgresTenantDirectory
{
    /// <summary>How long a browser session or link is remembered after it ended, so that a look at it can still say what it was.</summary>
    private static readonly TimeSpan EndedKept = TimeSpan.FromDays(7);

    /// <summary>Makes the lock of an organization's keys one that nobody else takes for something of the same organization.</summary>
    private const long KeysLock = 0x636f6f7264_0003;

    public async ValueTask AddCredentialAsync(StoredCredential credential, CancellationToken cancellationToken)
    {
        if (credential.Kind == CredentialKind.ApiKey)
        {
            var organization = credential.Organization ?? throw new PortException(PortFailureKind.Rejected, "An API key names its organization.");
            await transactions.ForOrganizationAsync(organization, (context, ct) => AddApiKeyAsync(context, credential, organization, ct), cancellationToken);
            return;
        }

        if (credential.Organization is not null) throw new PortException(PortFailureKind.Rejected, "A person's credential names no organization.");
        await transactions.ForSystemAsync((context, ct) => AddPersonalAsync(context, credential, ct), cancellationToken);
    }

    public ValueTask<StoredCredential?> FindCredentialAsync(CredentialKind kind, ReadOnlyMemory<byte> hash, CancellationToken cancellationToken) =>
        callers.FindCredentialAsync(kind, hash, cancellationToken);

    public ValueTask<bool> SpendCredentialAsync(Guid id, DateTimeOffset at, CancellationToken cancellationToken) =>
        transactions.ForSystemAsync(
            async (context, ct) => await context.PersonalCredentials
                .Where(row => row.Id == id && row.Kind == CredentialKind.SignInLink && row.SpentAt == null && row.RevokedAt == null)
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.SpentAt, at.ToUniversalTime()), ct) == 1,
            cancellationToken);

    public async ValueTask RevokeCredentialAsync(Guid id, DateTimeOffset at, CancellationToken cancellationToken) =>
        await transactions.ForSystemAsync(
            async (context, ct) =>
                await RevokeApiKeyAsync(context, id, at.ToUniversalTime(), ct)
                + await context.PersonalCredentials.Where(row => row.Id == id && row.RevokedAt == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.RevokedAt, at.ToUniversalTime()), ct),
            cancellationToken);

    public ValueTask<IReadOnlyList<StoredCredential>> ListApiKeysAsync(TenantContext tenant, CancellationToken cancellationToken) =>
        transactions.ForOrganizationAsync<IReadOnlyList<StoredCredential>>(
            tenant.Organization,
            async (context, ct) => [.. (await context.ApiKeys.AsNoTracking()
                .Where(row => row.Org == tenant.Organization.Value && row.RevokedAt == null)
                .OrderByDescending(row => row.CreatedAt).ThenByDescending(row => row.Id)
                .ToListAsync(ct)).Select(ToStored)],
            cancellationToken);

    private static async Task<int> AddApiKeyAsync(DirectoryContext context, StoredCredential credential, OrganizationId organization, CancellationToken cancellationToken)
    {
        if (!await context.Memberships.AnyAsync(row => row.Org == organization.Value && row.Person == credential.User.Value, cancellationToken))
            throw new PortException(PortFailureKind.Rejected, "The user is not in the organization.");
        if (credential.Parent is { } parent)
        {
            await TakeKeysLockAsync(context, organization.Value, cancellationToken);
            if (!await context.ApiKeys.AnyAsync(row => row.Org == organization.Value && row.Id == parent && row.RevokedAt == null, cancellationToken))
                throw new PortException(PortFailureKind.Rejected, "The key that it is made with is not live.");
        }

        context.Add(new ApiKeyRow
        {
            Org = organization.Value,
            Id = credential.Id,
            Hash = credential.Hash,
            Hint = credential.Hint,
            Name = credential.Name,
            Person = credential.User.Value,
            Role = credential.Role,
            CreatedAt = credential.CreatedAt.ToUniversalTime(),
            ExpiresAt = credential.ExpiresAt?.ToUniversalTime(),
            RevokedAt = credential.RevokedAt?.ToUniversalTime(),
            Parent = credential.Parent,
        });
        return await context.SaveChangesAsync(cancellationToken);
    }

    /// <summary>Walks through keys that are revoked already too: a host of an older release revokes a key alone.</summary>
    private static async Task<int> RevokeApiKeyAsync(DirectoryContext context, Guid id, DateTimeOffset at, CancellationToken cancellationToken)
    {
        if (await context.ApiKeys.Where(row => row.Id == id).Select(row => (Guid?)row.Org).SingleOrDefaultAsync(cancellationToken) is not { } organization) return 0;
        await TakeKeysLockAsync(context, organization, cancellationToken);
        return await context.Database.ExecuteSqlAsync(
            $"""
            WITH RECURSIVE gone AS (
                SELECT id FROM api_key WHERE id = {id}
                UNION SELECT made.id FROM api_key AS made JOIN gone ON made.parent = gone.id)
            UPDATE api_key SET revoked_at = {at} FROM gone WHERE api_key.id = gone.id AND api_key.revoked_at IS NULL
            """,
            cancellationToken);
    }

    /// <summary>
    /// A key that is made with a key and the revocation of what that one came from take turns: whichever is second sees in its next
    /// statement what the first committed.
    /// </summary>
    private static Task<int> TakeKeysLockAsync(DirectoryContext context, Guid organization, CancellationToken cancellationToken) =>
        context.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock(hashtextextended({organization.ToString()}, {KeysLock}))", cancellationToken);

    private static async Task<int> AddPersonalAsync(DirectoryContext context, StoredCredential credential, CancellationToken cancellationToken)
    {
        // Whoever signs in clears away what they left behind, so that the table does not grow with time.
        var forgotten = credential.CreatedAt.ToUniversalTime() - EndedKept;
        await context.PersonalCredentials.Where(row => row.Person == credential.User.Value && row.ExpiresAt < forgotten).ExecuteDeleteAsync(cancellationToken);
        context.Add(new PersonalCredentialRow
        {
            Id = credential.Id,
            Kind = credential.Kind,
            Hash = credential.Hash,
            Hint = credential.Hint,
            Name = credential.Name,
            Person = credential.User.Value,
            CreatedAt = credential.CreatedAt.ToUniversalTime(),
            ExpiresAt = credential.ExpiresAt?.ToUniversalTime() ?? throw new PortException(PortFailureKind.Rejected, "A person's credential ends at some time."),
            SpentAt = credential.SpentAt?.ToUniversalTime(),
            RevokedAt = credential.RevokedAt?.ToUniversalTime(),
        });
        return await context.SaveChangesAsync(cancellationToken);
    }

    private static StoredCredential ToStored(ApiKeyRow row) =>
        new(row.Id, CredentialKind.ApiKey, row.Hash, row.Hint, row.Name, new(row.Person), new OrganizationId(row.Org), row.Role, row.CreatedAt, row.ExpiresAt, SpentAt: null, row.RevokedAt) { Parent = row.Parent };
}
