using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Microsoft.EntityFrameworkCore;

namespace Coordinator.Adapters.Postgres;

internal sealed partial class PostgresTenantDirectory
{
    /// <summary>By hand, because every model call and every new session asks it.</summary>
    private const string FindSecret = "SELECT key_id, ciphertext, hint, updated_at FROM secret WHERE org = $1 AND name = $2";

    public async ValueTask PutSecretAsync(OrganizationId organization, StoredSecret secret, CancellationToken cancellationToken)
    {
        var (org, updatedAt) = (organization.Value, secret.UpdatedAt.ToUniversalTime());
        await transactions.ForOrganizationAsync(
            organization,
            (context, ct) => context.Database.ExecuteSqlAsync(
                $"""
                INSERT INTO secret (org, name, key_id, ciphertext, hint, updated_at)
                VALUES ({org}, {secret.Name}, {secret.Sealed.KeyId}, {secret.Sealed.Ciphertext}, {secret.Hint}, {updatedAt})
                ON CONFLICT (org, name) DO UPDATE
                SET key_id = excluded.key_id, ciphertext = excluded.ciphertext, hint = excluded.hint, updated_at = excluded.updated_at
                """,
                ct),
            cancellationToken);
    }

    public ValueTask<StoredSecret?> FindSecretAsync(OrganizationId organization, string name, CancellationToken cancellationToken) =>
        statements.ReadAsync(
            TenantScope.Of(organization),
            "looking a secret up",
            [new(FindSecret, organization.Value, name)],
            async (reader, ct) => await reader.ReadAsync(ct)
                ? new StoredSecret(name, new(reader.GetString(0), reader.GetFieldValue<byte[]>(1)), reader.GetString(2), reader.GetFieldValue<DateTimeOffset>(3))
                : null,
            cancellationToken);

    public ValueTask<IReadOnlyList<StoredSecret>> ListSecretsAsync(OrganizationId organization, CancellationToken cancellationToken) =>
        transactions.ForOrganizationAsync<IReadOnlyList<StoredSecret>>(
            organization,
            async (context, ct) => [.. (await context.Secrets.AsNoTracking().Where(row => row.Org == organization.Value).ToListAsync(ct))
                .OrderBy(row => row.Name, StringComparer.Ordinal).Select(ToStored)],
            cancellationToken);

    public ValueTask<bool> DeleteSecretAsync(OrganizationId organization, string name, CancellationToken cancellationToken) =>
        transactions.ForOrganizationAsync(
            organization,
            async (context, ct) => await context.Secrets.Where(row => row.Org == organization.Value && row.Name == name).ExecuteDeleteAsync(ct) == 1,
            cancellationToken);

    private static StoredSecret ToStored(SecretRow row) => new(row.Name, new(row.KeyId, row.Ciphertext), row.Hint, row.UpdatedAt);
}
