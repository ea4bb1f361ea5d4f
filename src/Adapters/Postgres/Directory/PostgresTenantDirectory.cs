using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Microsoft.EntityFrameworkCore;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// The tenant directory in PostgreSQL. Whatever is known to belong to one organization runs as that organization, under
/// row-level security; only finding out who calls, and for whom, runs as the system.
/// </summary>
internal sealed partial class PostgresTenantDirectory(TenantTransactions<DirectoryContext> transactions, TimeProvider time) : ITenantDirectory
{
    /// <summary>What the first owner and their organization are called until they say otherwise.</summary>
    private const string FirstOwnerName = "Owner";
    private const string FirstOrganizationName = "My organization";

    /// <summary>Names the lock under which the first owner is made; any number nobody else uses in this database.</summary>
    private const long FirstOwnerLock = 0x636f6f7264_0002;

    private static readonly Problem OrganizationNotFound = new("organization_not_found", "There is no such organization that you are a member of.", ProblemKind.NotFound);

    public async ValueTask<Result<TenantContext>> ResolveAsync(AuthenticatedPrincipal principal, OrganizationId? requested, CancellationToken cancellationToken)
    {
        var standing = await transactions.ForSystemAsync((context, ct) => StandingOf(context, principal.Principal, ct), cancellationToken);
        var places = principal.BoundOrganization is { } bound ? [.. standing.Places.Where(place => place.Id == bound)] : standing.Places;
        if (requested is null && places.Count > 1) return OrganizationRequired(places);
        var place = requested is null ? places.SingleOrDefault() : places.FirstOrDefault(place => place.Id == requested);
        return place is null ? OrganizationNotFound : new TenantContext(place.Id, standing.Principal, place.Role);
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

    public ValueTask<UserInfo?> FindUserAsync(UserId user, CancellationToken cancellationToken) =>
        transactions.ForSystemAsync(
            async (context, ct) => await context.People.AsNoTracking().FirstOrDefaultAsync(person => person.Id == user.Value, ct) is { } found ? new UserInfo(user, found.DisplayName) : null,
            cancellationToken);

    public async ValueTask<IReadOnlyList<OrganizationInfo>> ListOrganizationsAsync(Principal principal, CancellationToken cancellationToken) =>
        (await transactions.ForSystemAsync((context, ct) => StandingOf(context, principal, ct), cancellationToken)).Places;

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

    private static Task<Standing> StandingOf(DirectoryContext context, Principal principal, CancellationToken cancellationToken) => principal.Kind switch
    {
        PrincipalKind.User when UserId.TryParse(principal.Id, out var user) => StandingOfPersonAsync(context, principal, user, cancellationToken),
        PrincipalKind.ApiKey when ApiKeyId.TryParse(principal.Id, out var key) => StandingOfKeyAsync(context, principal, key, cancellationToken),
        _ => Task.FromResult(new Standing(principal, [])),
    };

    private static async Task<Standing> StandingOfPersonAsync(DirectoryContext context, Principal principal, UserId user, CancellationToken cancellationToken)
    {
        var rows = await (
            from membership in context.Memberships
            join organization in context.Organizations on membership.Org equals organization.Org
            join person in context.People on membership.Person equals person.Id
            where membership.Person == user.Value
            orderby membership.Since, membership.Org
            select new { membership.Org, organization.Name, membership.Role, person.DisplayName }).ToListAsync(cancellationToken);
        var named = rows.Count == 0 ? principal : principal with { DisplayName = rows[0].DisplayName };
        return new(named, [.. rows.Select(row => new OrganizationInfo(new(row.Org), row.Name, row.Role))]);
    }

    private static async Task<Standing> StandingOfKeyAsync(DirectoryContext context, Principal principal, ApiKeyId id, CancellationToken cancellationToken)
    {
        var row = await (
            from key in context.ApiKeys
            join membership in context.Memberships on new { key.Org, key.Person } equals new { membership.Org, membership.Person }
            join organization in context.Organizations on key.Org equals organization.Org
            where key.Id == id.Value && key.RevokedAt == null
            select new { key.Org, organization.Name, KeyRole = key.Role, MakerRole = membership.Role }).FirstOrDefaultAsync(cancellationToken);
        return new(principal, row is null ? [] : [new(new(row.Org), row.Name, row.KeyRole < row.MakerRole ? row.KeyRole : row.MakerRole)]);
    }

    private static Problem OrganizationRequired(IReadOnlyList<OrganizationInfo> places) => new(
        "organization_required",
        $"You are in several organizations; name one in the header Coordinator-Organization: {string.Join(", ", places.Take(10).Select(place => $"{place.Id} ({place.Name})"))}.",
        ProblemKind.Malformed);

    /// <summary>A principal under its present name, and where it is a member, with which role.</summary>
    private sealed record Standing(Principal Principal, IReadOnlyList<OrganizationInfo> Places);
}
