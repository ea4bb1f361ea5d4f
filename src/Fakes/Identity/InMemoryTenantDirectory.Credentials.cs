using Coordinator.Ports;
using Coordinator.Ports.Identity;

namespace Coordinator.Fakes;

public sealed partial class InMemoryTenantDirectory
{
    public ValueTask AddCredentialAsync(StoredCredential credential, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate)
            {
                var known = credential.Kind == CredentialKind.ApiKey
                    ? members.Any(member => member.Organization == credential.Organization && member.User == credential.User)
                    : credential.Organization is null && users.ContainsKey(credential.User);
                if (!known) throw new PortException(PortFailureKind.Rejected, "The user is not there, or not in the organization.");
                if (credential.Parent is { } parent && !(credentials.TryGetValue(parent, out var made) && made.Organization == credential.Organization && made.RevokedAt is null))
                    throw new PortException(PortFailureKind.Rejected, "The key that it is made with is not live.");
                if (credentials.Values.Any(other => other.Kind == credential.Kind && other.Hash.AsSpan().SequenceEqual(credential.Hash)) || !credentials.TryAdd(credential.Id, credential))
                    throw new PortException(PortFailureKind.Rejected, "The credential is there already.");
            }
        }, cancellationToken);

    public ValueTask<StoredCredential?> FindCredentialAsync(CredentialKind kind, ReadOnlyMemory<byte> hash, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate) return credentials.Values.FirstOrDefault(credential => credential.Kind == kind && credential.Hash.AsSpan().SequenceEqual(hash.Span));
        }, cancellationToken);

    public ValueTask<bool> SpendCredentialAsync(Guid id, DateTimeOffset at, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate)
            {
                if (!credentials.TryGetValue(id, out var found) || found.Kind != CredentialKind.SignInLink || found.SpentAt is not null || found.RevokedAt is not null) return false;
                credentials[id] = found with { SpentAt = at };
                return true;
            }
        }, cancellationToken);

    public ValueTask RevokeCredentialAsync(Guid id, DateTimeOffset at, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate) Revoke(id, at);
        }, cancellationToken);

    public ValueTask<IReadOnlyList<StoredCredential>> ListApiKeysAsync(TenantContext tenant, CancellationToken cancellationToken) =>
        Faults.Run<IReadOnlyList<StoredCredential>>(() =>
        {
            lock (gate)
            {
                return [.. credentials.Values
                    .Where(credential => credential.Kind == CredentialKind.ApiKey && credential.Organization == tenant.Organization && credential.RevokedAt is null)
                    .OrderByDescending(credential => credential.CreatedAt).ThenByDescending(credential => new ApiKeyId(credential.Id).ToString(), StringComparer.Ordinal)];
            }
        }, cancellationToken);

    private void Revoke(Guid id, DateTimeOffset at)
    {
        if (credentials.TryGetValue(id, out var found) && found.RevokedAt is null) credentials[id] = found with { RevokedAt = at };
        foreach (var child in credentials.Values.Where(child => child.Parent == id).ToList()) Revoke(child.Id, at);
    }
}
