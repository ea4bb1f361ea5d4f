using System.Security.Cryptography;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.TenantDirectory;

/// <summary>What every tenant directory promises about people, organizations and who may act where.</summary>
public abstract class TenantDirectoryContract
{
    /// <summary>The directory under test; many tests share its store, so each makes its own people and organizations.</summary>
    protected abstract ITenantDirectoryHarness Harness { get; }

    private ITenantDirectory Directory => Harness.Directory;

    [Fact]
    public async Task A_person_in_one_organization_need_not_name_it()
    {
        var user = await Harness.AddUserAsync("Ada");
        var organization = await OrganizationOfAsync(user, Role.Admin);

        var tenant = await Directory.ResolveAsync(Person(user), null, default);

        Assert.Equal(new(organization, new(PrincipalKind.User, user.ToString(), "Ada"), Role.Admin), tenant.Value);
    }

    [Fact]
    public async Task A_person_in_several_organizations_says_which()
    {
        var user = await Harness.AddUserAsync("Ada");
        var first = await OrganizationOfAsync(user, Role.Member);
        var second = await OrganizationOfAsync(user, Role.Viewer);

        Assert.Equal("organization_required", (await Directory.ResolveAsync(Person(user), null, default)).Problem?.Code);
        Assert.Equal(Role.Member, (await Directory.ResolveAsync(Person(user), first, default)).Value.Role);
        Assert.Equal(Role.Viewer, (await Directory.ResolveAsync(Person(user), second, default)).Value.Role);
        var listed = await Directory.ListOrganizationsAsync(Person(user).Principal, default);
        Assert.Equal([(first, Role.Member), (second, Role.Viewer)], listed.Select(organization => (organization.Id, organization.Role)));
    }

    [Fact]
    public async Task A_foreign_organization_and_an_absent_one_are_answered_alike()
    {
        var user = await Harness.AddUserAsync("Ada");
        await OrganizationOfAsync(user, Role.Owner);
        var foreign = await OrganizationOfAsync(await Harness.AddUserAsync("Eve"), Role.Owner);

        var refusedForeign = await Directory.ResolveAsync(Person(user), foreign, default);
        var refusedAbsent = await Directory.ResolveAsync(Person(user), OrganizationId.New(TimeProvider.System), default);

        Assert.Equal("organization_not_found", refusedForeign.Problem?.Code);
        Assert.Equal(refusedForeign.Problem, refusedAbsent.Problem);
    }

    [Fact]
    public async Task Authorization_checked_at_connect_only_revoked_people_keep_streaming()
    {
        var user = await Harness.AddUserAsync("Ada");
        var organization = await OrganizationOfAsync(user, Role.Member);
        var key = await AddKeyAsync(organization, user, Role.Member);
        Assert.True((await Directory.ResolveAsync(Key(key), null, default)).IsSuccess);

        await Harness.SetRoleAsync(organization, user, null);

        Assert.Equal("organization_not_found", (await Directory.ResolveAsync(Person(user), organization, default)).Problem?.Code);
        Assert.Equal("organization_not_found", (await Directory.ResolveAsync(Key(key), null, default)).Problem?.Code);
    }

    [Fact]
    public async Task A_revoked_key_is_a_member_of_nothing()
    {
        var user = await Harness.AddUserAsync("Ada");
        var key = await AddKeyAsync(await OrganizationOfAsync(user, Role.Owner), user, Role.Owner);

        await Directory.RevokeCredentialAsync(key.Id, Now, default);

        Assert.Equal("organization_not_found", (await Directory.ResolveAsync(Key(key), null, default)).Problem?.Code);
        Assert.Empty(await Directory.ListOrganizationsAsync(Key(key).Principal, default));
    }

    [Fact]
    public async Task A_key_acts_in_its_own_organization_only()
    {
        var user = await Harness.AddUserAsync("Ada");
        var own = await OrganizationOfAsync(user, Role.Owner);
        var other = await OrganizationOfAsync(user, Role.Owner);
        var key = await AddKeyAsync(own, user, Role.Admin);

        Assert.Equal(own, (await Directory.ResolveAsync(Key(key), null, default)).Value.Organization);
        Assert.Equal("organization_not_found", (await Directory.ResolveAsync(Key(key), other, default)).Problem?.Code);
        Assert.Equal([own], (await Directory.ListOrganizationsAsync(Key(key).Principal, default)).Select(organization => organization.Id));
    }

    [Theory]
    [InlineData(Role.Admin, Role.Owner, Role.Admin)]
    [InlineData(Role.Admin, Role.Viewer, Role.Viewer)]
    [InlineData(Role.Viewer, Role.Viewer, Role.Viewer)]
    public async Task A_key_has_its_own_role_or_its_makers_present_one_whichever_is_lower(Role keys, Role makers, Role expected)
    {
        var user = await Harness.AddUserAsync("Ada");
        var organization = await OrganizationOfAsync(user, Role.Owner);
        var key = await AddKeyAsync(organization, user, keys);

        await Harness.SetRoleAsync(organization, user, makers);

        Assert.Equal(expected, (await Directory.ResolveAsync(Key(key), null, default)).Value.Role);
    }

    [Fact]
    public async Task The_system_and_made_up_principals_are_members_of_nothing()
    {
        AuthenticatedPrincipal[] nobodies =
        [
            new(new(PrincipalKind.System, "system", "System"), null),
            new(new(PrincipalKind.User, UserId.New(TimeProvider.System).ToString(), "Nobody"), null),
            new(new(PrincipalKind.ApiKey, "junk", "Nothing"), null),
        ];

        foreach (var nobody in nobodies) Assert.Equal("organization_not_found", (await Directory.ResolveAsync(nobody, null, default)).Problem?.Code);
    }

    [Fact]
    public async Task Twenty_hosts_that_start_at_once_agree_on_one_owner()
    {
        var owners = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(async () => await Directory.EnsureOwnerAsync(default))));

        Assert.Single(owners.Select(owner => (owner.User, owner.Organization)).Distinct());
        Assert.InRange(owners.Count(owner => owner.Created), 0, 1);
        Assert.False((await Directory.EnsureOwnerAsync(default)).Created);
        var tenant = await Directory.ResolveAsync(Person(owners[0].User), owners[0].Organization, default);
        Assert.Equal(Role.Owner, tenant.Value.Role);
    }

    [Fact]
    public async Task An_organization_is_made_once_with_its_owner_however_often_it_is_asked_for()
    {
        var user = await Harness.AddUserAsync("Ada");
        var made = new NewOrganization(OrganizationId.New(TimeProvider.System), TestData.For().OrganizationName(), user, Now);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () => await Directory.CreateOrganizationAsync(made, default))));
        await Directory.CreateOrganizationAsync(made with { Name = "Another name" }, default);

        Assert.Equal([new OrganizationInfo(made.Id, made.Name, Role.Owner, Now)], await Directory.ListOrganizationsAsync(Person(user).Principal, default));
    }

    [Fact]
    public async Task An_organization_of_somebody_else_is_not_taken_over_by_its_id()
    {
        var made = new NewOrganization(OrganizationId.New(TimeProvider.System), "Acme", await Harness.AddUserAsync("Ada"), Now);
        await Directory.CreateOrganizationAsync(made, default);
        var eve = await Harness.AddUserAsync("Eve");

        var refused = await Assert.ThrowsAsync<PortException>(async () => await Directory.CreateOrganizationAsync(made with { Owner = eve }, default));

        Assert.Equal(PortFailureKind.Rejected, refused.Kind);
        Assert.Empty(await Directory.ListOrganizationsAsync(Person(eve).Principal, default));
    }

    [Fact]
    public async Task An_organization_nobody_would_own_is_not_made()
    {
        var nobody = new NewOrganization(OrganizationId.New(TimeProvider.System), "Acme", UserId.New(TimeProvider.System), Now);

        var refused = await Assert.ThrowsAsync<PortException>(async () => await Directory.CreateOrganizationAsync(nobody, default));

        Assert.Equal(PortFailureKind.Rejected, refused.Kind);
        var late = await Harness.AddUserAsync("Ada");
        await Directory.CreateOrganizationAsync(nobody with { Owner = late }, default);
        Assert.Single(await Directory.ListOrganizationsAsync(Person(late).Principal, default));
    }

    [Fact]
    public async Task A_person_is_found_by_id()
    {
        var name = TestData.For().PersonName();
        var user = await Harness.AddUserAsync(name);

        Assert.Equal(new(user, name), await Directory.FindUserAsync(user, default));
        Assert.Null(await Directory.FindUserAsync(UserId.New(TimeProvider.System), default));
    }

    private static DateTimeOffset Now { get; } = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static AuthenticatedPrincipal Person(UserId user) => new(new(PrincipalKind.User, user.ToString(), "as signed in"), null);

    private static AuthenticatedPrincipal Key(StoredCredential key) => new(new(PrincipalKind.ApiKey, new ApiKeyId(key.Id).ToString(), key.Name), key.Organization);

    private async Task<OrganizationId> OrganizationOfAsync(UserId user, Role role)
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        await Harness.SetRoleAsync(organization, user, role);
        return organization;
    }

    private async Task<StoredCredential> AddKeyAsync(OrganizationId organization, UserId user, Role role)
    {
        var key = new StoredCredential(ApiKeyId.New(TimeProvider.System).Value, CredentialKind.ApiKey, RandomNumberGenerator.GetBytes(32), "abcd", "ci", user, organization, role, Now, null, null, null);
        await Directory.AddCredentialAsync(key, default);
        return key;
    }
}
