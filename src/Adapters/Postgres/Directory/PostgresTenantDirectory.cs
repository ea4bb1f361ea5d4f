using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Microsoft.EntityFrameworkCore;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// The tenant directory in PostgreSQL: hand-written SQL for what every request asks, EF Core for the rest. Whatever is
/// known to belong to one organization runs as that organization, under row-level security; only finding out who calls,
/// and for whom, runs as the system.
/// </summary>
internal sealed partial class PostgresTenantDirectory(TenantTransactions<DirectoryContext> transactions, TenantStatements statements, TimeProvider time) : ITenantDirectory
{
    /// <summary>What the first owner and their organization are called until they say otherwise.</summary>
    private const string FirstOwnerName = "Owner";
    private const string FirstOrganizationName = "My organization";

    /// <summary>Names the lock under which the first owner is made; any number nobody else uses in this database.</summary>
    private const long FirstOwnerLock = 0x636f6f7264_0002;

    /// <summary>One statement, so that no organization stands without its owner; no row: nothing was made, and it was not there as theirs either.</summary>
    private const string CreateOrganization = """
        WITH owner AS (SELECT id FROM person WHERE id = $3),
             made AS (INSERT INTO organization (org, name, created_at) SELECT $1, $2, $4 FROM owner ON CONFLICT (org) DO NOTHING RETURNING org),
             joined AS (INSERT INTO membership (org, person, role, since) SELECT made.org, owner.id, 'owner', $4 FROM made, owner RETURNING org)
        SELECT org FROM joined
        """;

    /// <summary>A statement of its own: the one before may have waited for somebody who made the same, and did not see it.</summary>
    private const string OwnOrganization = "SELECT org FROM membership WHERE org = $1 AND person = $2 AND role = 'owner'";

    private readonly CallerLookup callers = new(statements);
    private readonly RequestMemory requests = new(statements);

    private static readonly Problem OrganizationNotFound = new("organization_not_found", "There is no such organization that you are a member of.", ProblemKind.NotFound);

    public async ValueTask<Result<TenantContext>> ResolveAsync(AuthenticatedPrincipal principal, OrganizationId? requested, CancellationToken cancellationToken)
    {
        var standing = principal.Standing ?? await callers.StandingOfAsync(principal.Principal, cancellationToken);
        var places = principal.BoundOrganization is { } bound ? [.. standing.Places.Where(place => place.Id == bound)] : standing.Places;
        if (requested is null && places.Count > 1) return OrganizationRequired(places);
        var place = requested is null ? places.SingleOrDefault() : places.FirstOrDefault(place => place.Id == requested);
        return place is null ? OrganizationNotFound : new TenantContext(place.Id, standing.Name is { } name ? principal.Principal with { DisplayName = name } : principal.Principal, place.Role);
    }

    public ValueTask<OwnerAccount> EnsureOwnerAsync(CancellationToken cancellationToken) =>
        transactions.ForSystemAsync(
            async (context, ct) =>
            {
                await context.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({FirstOwnerLock})", ct);
                var first = await context.Memberships.AsNoTracking()
                    .Where(membership => membership.Role == Role.Owner)
                    .OrderBy(membership => membership.Since).ThenBy(membership => membership.Org).ThenBy(membership => membership.Person)
                    .FirstOrDefaultAsync(ct);
                return first is null ? await MakeOwnerAsync(context, ct) : new OwnerAccount(new(first.Person), new(first.Org), Created: false);
            },
            cancellationToken);

    public async ValueTask CreateOrganizationAsync(NewOrganization organization, CancellationToken cancellationToken) =>
        await statements.WriteAsync(
            TenantScope.System,
            "making an organization",
            [
                new(CreateOrganization, organization.Id.Value, organization.Name, organization.Owner.Value, organization.CreatedAt.ToUniversalTime()),
                new(OwnOrganization, organization.Id.Value, organization.Owner.Value),
            ],
            async (reader, ct) =>
            {
                await reader.NextResultAsync(ct);
                return await reader.ReadAsync(ct) ? true : throw new PortException(PortFailureKind.Rejected, "There is no such person, or the organization is somebody else's.");
            },
            cancellationToken);

    public ValueTask<UserInfo?> FindUserAsync(UserId user, CancellationToken cancellationToken) =>
        transactions.ForSystemAsync(
            async (context, ct) => await context.People.AsNoTracking().FirstOrDefaultAsync(person => person.Id == user.Value, ct) is { } found ? new UserInfo(user, found.DisplayName) : null,
            cancellationToken);

    public async ValueTask<IReadOnlyList<OrganizationInfo>> ListOrganizationsAsync(Principal principal, CancellationToken cancellationToken) =>
        (await callers.StandingOfAsync(principal, cancellationToken)).Places;

    public ValueTask<RequestClaim> ClaimRequestAsync(OrganizationId organization, string scope, string key, ReadOnlyMemory<byte> bodyHash, DateTimeOffset now, TimeSpan held, CancellationToken cancellationToken) =>
        requests.ClaimAsync(organization, scope, key, bodyHash.ToArray(), now, held, cancellationToken);

    public ValueTask<bool> HoldRequestAsync(OrganizationId organization, string scope, string key, Guid claim, TimeSpan held, CancellationToken cancellationToken) =>
        requests.HoldAsync(organization, scope, key, claim, held, cancellationToken);

    public ValueTask CompleteRequestAsync(OrganizationId organization, string scope, string key, Guid claim, StoredAnswer answer, bool repeatsRecognised, CancellationToken cancellationToken) =>
        requests.CompleteAsync(organization, scope, key, claim, answer, repeatsRecognised, cancellationToken);

    public ValueTask AbandonRequestAsync(OrganizationId organization, string scope, string key, Guid claim, CancellationToken cancellationToken) =>
        requests.AbandonAsync(organization, scope, key, claim, cancellationToken);

    private async Task<OwnerAccount> MakeOwnerAsync(DirectoryContext context, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var owner = new OwnerAccount(UserId.New(time), OrganizationId.New(time), Created: true);
        context.Add(new PersonRow { Id = owner.User.Value, DisplayName = FirstOwnerName, CreatedAt = now });
        context.Add(new OrganizationRow { Org = owner.Organization.Value, Name = FirstOrganizationName, CreatedAt = now });
        await context.SaveChangesAsync(cancellationToken);
        context.Add(new MembershipRow { Org = owner.Organization.Value, Person = owner.User.Value, Role = Role.Owner, Since = now });
        await context.SaveChangesAsync(cancellationToken);
        return owner;
    }

    private static Problem OrganizationRequired(IReadOnlyList<OrganizationInfo> places) => new(
        "organization_required",
        $"You are in several organizations; name one in the header Coordinator-Organization: {string.Join(", ", places.Take(10).Select(place => $"{place.Id} ({place.Name})"))}.",
        ProblemKind.Malformed);
}
