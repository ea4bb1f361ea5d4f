using Coordinator.Ports;
using Coordinator.Ports.Identity;

namespace Coordinator.Fakes;

/// <summary>The tenant directory as dictionaries in memory. People beyond the first owner are put in by tests.</summary>
public sealed partial class InMemoryTenantDirectory(TimeProvider time) : ITenantDirectory
{
    private readonly Lock gate = new();
    private readonly Dictionary<UserId, UserInfo> users = [];
    private readonly Dictionary<OrganizationId, (string Name, DateTimeOffset CreatedAt)> organizations = [];
    private readonly List<Member> members = [];
    private readonly Dictionary<Guid, StoredCredential> credentials = [];
    private readonly Dictionary<(OrganizationId, string), StoredSecret> secrets = [];

    /// <summary>Faults of every method.</summary>
    public FaultSwitch Faults { get; } = new();

    /// <summary>Puts a person in.</summary>
    public UserId AddUser(string displayName)
    {
        lock (gate)
        {
            var id = UserId.New(time);
            users.Add(id, new(id, displayName));
            return id;
        }
    }

    /// <summary>Puts an organization in, with nobody in it.</summary>
    public OrganizationId AddOrganization(string name)
    {
        lock (gate)
        {
            var id = OrganizationId.New(time);
            organizations.Add(id, (name, time.GetUtcNow()));
            return id;
        }
    }

    /// <summary>Makes a person a member with a role, changes the role, or (null) ends the membership.</summary>
    public void SetRole(OrganizationId organization, UserId user, Role? role)
    {
        lock (gate)
        {
            var index = members.FindIndex(member => member.Organization == organization && member.User == user);
            if (role is null && index >= 0) members.RemoveAt(index);
            else if (role is { } changed && index >= 0) members[index] = members[index] with { Role = changed };
            else if (role is { } first) members.Add(new(organization, user, first));
        }
    }

    public ValueTask<Result<TenantContext>> ResolveAsync(AuthenticatedPrincipal principal, OrganizationId? requested, CancellationToken cancellationToken) =>
        Faults.Run<Result<TenantContext>>(() =>
        {
            lock (gate)
            {
                var (asWho, places) = PlacesOf(principal.Principal);
                if (principal.BoundOrganization is { } bound) places = [.. places.Where(place => place.Id == bound)];
                if (requested is null && places.Count > 1) return new Problem("organization_required", "Name one of your organizations in the header Coordinator-Organization.", ProblemKind.Malformed);
                var place = requested is null ? places.SingleOrDefault() : places.FirstOrDefault(place => place.Id == requested);
                return place is null
                    ? new Problem("organization_not_found", "There is no such organization.", ProblemKind.NotFound)
                    : new TenantContext(place.Id, asWho, place.Role);
            }
        }, cancellationToken);

    public ValueTask<OwnerAccount> EnsureOwnerAsync(CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate)
            {
                if (members.FirstOrDefault(member => member.Role == Role.Owner) is { } first) return new OwnerAccount(first.User, first.Organization, false);
                var owner = new Member(AddOrganization("My organization"), AddUser("Owner"), Role.Owner);
                members.Add(owner);
                return new OwnerAccount(owner.User, owner.Organization, true);
            }
        }, cancellationToken);

    public ValueTask CreateOrganizationAsync(NewOrganization organization, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate)
            {
                if (!users.ContainsKey(organization.Owner)) throw new PortException(PortFailureKind.Rejected, "There is no such person.");
                var owner = new Member(organization.Id, organization.Owner, Role.Owner);
                if (organizations.TryAdd(organization.Id, (organization.Name, organization.CreatedAt))) members.Add(owner);
                else if (!members.Contains(owner)) throw new PortException(PortFailureKind.Rejected, "The organization is there already.");
            }
        }, cancellationToken);

    public ValueTask<UserInfo?> FindUserAsync(UserId user, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate) return users.GetValueOrDefault(user);
        }, cancellationToken);

    public ValueTask<IReadOnlyList<OrganizationInfo>> ListOrganizationsAsync(Principal principal, CancellationToken cancellationToken) =>
        Faults.Run<IReadOnlyList<OrganizationInfo>>(() =>
        {
            lock (gate) return PlacesOf(principal).Places;
        }, cancellationToken);

    public ValueTask PutSecretAsync(OrganizationId organization, StoredSecret secret, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate)
            {
                if (!organizations.ContainsKey(organization)) throw new PortException(PortFailureKind.Rejected, "There is no such organization.");
                secrets[(organization, secret.Name)] = secret;
            }
        }, cancellationToken);

    public ValueTask<StoredSecret?> FindSecretAsync(OrganizationId organization, string name, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate) return secrets.GetValueOrDefault((organization, name));
        }, cancellationToken);

    public ValueTask<IReadOnlyList<StoredSecret>> ListSecretsAsync(OrganizationId organization, CancellationToken cancellationToken) =>
        Faults.Run<IReadOnlyList<StoredSecret>>(() =>
        {
            lock (gate) return [.. secrets.Where(entry => entry.Key.Item1 == organization).Select(entry => entry.Value).OrderBy(secret => secret.Name, StringComparer.Ordinal)];
        }, cancellationToken);

    public ValueTask<bool> DeleteSecretAsync(OrganizationId organization, string name, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate) return secrets.Remove((organization, name));
        }, cancellationToken);

    private (Principal AsWho, IReadOnlyList<OrganizationInfo> Places) PlacesOf(Principal principal)
    {
        if (principal.Kind == PrincipalKind.User && UserId.TryParse(principal.Id, out var user) && users.TryGetValue(user, out var person))
            return (principal with { DisplayName = person.DisplayName }, [.. members.Where(member => member.User == user).Select(member => Place(member, member.Role))]);
        if (principal.Kind != PrincipalKind.ApiKey || !ApiKeyId.TryParse(principal.Id, out var id)) return (principal, []);
        if (!credentials.TryGetValue(id.Value, out var key) || key.Kind != CredentialKind.ApiKey || key.RevokedAt is not null) return (principal, []);
        return (principal, [.. members
            .Where(member => member.Organization == key.Organization && member.User == key.User)
            .Select(member => Place(member, member.Role < key.Role ? member.Role : key.Role))]);
    }

    private OrganizationInfo Place(Member member, Role role) => new(member.Organization, organizations[member.Organization].Name, role, organizations[member.Organization].CreatedAt);

    private sealed record Member(OrganizationId Organization, UserId User, Role Role);
}
