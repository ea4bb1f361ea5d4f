using System.Security.Cryptography;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.TenantDirectory;

/// <summary>What every tenant directory promises about the credentials it stores.</summary>
public abstract class CredentialStoreContract
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    protected abstract ITenantDirectoryHarness Harness { get; }

    private ITenantDirectory Directory => Harness.Directory;

    [Fact]
    public async Task A_credential_is_found_by_its_kind_and_hash_whole()
    {
        var (organization, user) = await MemberAsync();
        var key = KeyOf(organization, user) with { ExpiresAt = Now.AddDays(1) };
        var session = PersonalOf(user, CredentialKind.BrowserSession);
        await Directory.AddCredentialAsync(key, default);
        await Directory.AddCredentialAsync(session, default);

        AssertSame(key, await Directory.FindCredentialAsync(CredentialKind.ApiKey, key.Hash, default));
        AssertSame(session, await Directory.FindCredentialAsync(CredentialKind.BrowserSession, session.Hash, default));
        Assert.Null(await Directory.FindCredentialAsync(CredentialKind.SignInLink, session.Hash, default));
        Assert.Null(await Directory.FindCredentialAsync(CredentialKind.ApiKey, session.Hash, default));
        Assert.Null(await Directory.FindCredentialAsync(CredentialKind.BrowserSession, RandomNumberGenerator.GetBytes(32), default));
    }

    [Fact]
    public async Task Of_twenty_who_spend_a_link_at_once_one_does()
    {
        var (_, user) = await MemberAsync();
        var link = PersonalOf(user, CredentialKind.SignInLink);
        await Directory.AddCredentialAsync(link, default);

        var spent = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(async () => await Directory.SpendCredentialAsync(link.Id, Now, default))));

        Assert.Single(spent, true);
        Assert.Equal(Now, (await Directory.FindCredentialAsync(CredentialKind.SignInLink, link.Hash, default))?.SpentAt);
    }

    [Fact]
    public async Task Only_a_live_link_can_be_spent()
    {
        var (organization, user) = await MemberAsync();
        var revoked = PersonalOf(user, CredentialKind.SignInLink);
        var key = KeyOf(organization, user);
        await Directory.AddCredentialAsync(revoked, default);
        await Directory.AddCredentialAsync(key, default);
        await Directory.RevokeCredentialAsync(revoked.Id, Now, default);

        Assert.False(await Directory.SpendCredentialAsync(revoked.Id, Now, default));
        Assert.False(await Directory.SpendCredentialAsync(key.Id, Now, default));
        Assert.False(await Directory.SpendCredentialAsync(ApiKeyId.New(TimeProvider.System).Value, Now, default));
    }

    [Fact]
    public async Task Revoking_again_changes_nothing()
    {
        var (organization, user) = await MemberAsync();
        var key = KeyOf(organization, user);
        await Directory.AddCredentialAsync(key, default);

        await Directory.RevokeCredentialAsync(key.Id, Now, default);
        await Directory.RevokeCredentialAsync(key.Id, Now.AddHours(1), default);

        Assert.Equal(Now, (await Directory.FindCredentialAsync(CredentialKind.ApiKey, key.Hash, default))?.RevokedAt);
    }

    [Fact]
    public async Task With_a_key_go_the_keys_that_were_made_with_it_and_no_others()
    {
        var (organization, user) = await MemberAsync();
        var root = KeyOf(organization, user);
        var leaked = KeyOf(organization, user) with { Parent = root.Id };
        var child = KeyOf(organization, user) with { Parent = leaked.Id };
        var grandchild = KeyOf(organization, user) with { Parent = child.Id };
        var sibling = KeyOf(organization, user) with { Parent = root.Id };
        foreach (var key in (StoredCredential[])[root, leaked, child, grandchild, sibling]) await Directory.AddCredentialAsync(key, default);
        AssertSame(grandchild, await Directory.FindCredentialAsync(CredentialKind.ApiKey, grandchild.Hash, default));

        await Directory.RevokeCredentialAsync(leaked.Id, Now, default);

        foreach (var gone in (StoredCredential[])[leaked, child, grandchild])
            Assert.Equal(Now, (await Directory.FindCredentialAsync(CredentialKind.ApiKey, gone.Hash, default))?.RevokedAt);
        var listed = await Directory.ListApiKeysAsync(new(organization, new(PrincipalKind.User, user.ToString(), "Ada"), Role.Owner), default);
        Assert.Equal(((Guid[])[root.Id, sibling.Id]).Order(), listed.Select(key => key.Id).Order());
    }

    [Fact]
    public async Task No_key_is_made_with_one_that_is_revoked_unknown_or_another_organizations()
    {
        var (organization, user) = await MemberAsync();
        var (foreign, eve) = await MemberAsync();
        var revoked = KeyOf(organization, user);
        var theirs = KeyOf(foreign, eve);
        await Directory.AddCredentialAsync(revoked, default);
        await Directory.AddCredentialAsync(theirs, default);
        await Directory.RevokeCredentialAsync(revoked.Id, Now, default);

        foreach (var parent in (Guid[])[revoked.Id, theirs.Id, ApiKeyId.New(TimeProvider.System).Value])
            await PortAssert.FailsAsync(PortFailureKind.Rejected, () => Directory.AddCredentialAsync(KeyOf(organization, user) with { Parent = parent }, default));
    }

    [Fact]
    public async Task A_key_made_in_the_moment_in_which_its_parents_parent_is_revoked_does_not_survive()
    {
        var (organization, user) = await MemberAsync();
        for (var round = 0; round < 10; round++)
        {
            var root = KeyOf(organization, user);
            var parent = KeyOf(organization, user) with { Parent = root.Id };
            await Directory.AddCredentialAsync(root, default);
            await Directory.AddCredentialAsync(parent, default);
            var children = Enumerable.Range(0, 4).Select(_ => KeyOf(organization, user) with { Parent = parent.Id }).ToList();

            await Task.WhenAll(
            [
                .. children.Select(child => Task.Run(async () => await Record.ExceptionAsync(async () => await Directory.AddCredentialAsync(child, default)))),
                Task.Run(async () => await Directory.RevokeCredentialAsync(root.Id, Now, default)),
            ]);

            foreach (var child in children)
                Assert.True(await Directory.FindCredentialAsync(CredentialKind.ApiKey, child.Hash, default) is null or { RevokedAt: not null });
        }

        Assert.Empty(await Directory.ListApiKeysAsync(new(organization, new(PrincipalKind.User, user.ToString(), "Ada"), Role.Owner), default));
    }

    [Fact]
    public async Task A_taken_hash_or_id_is_refused_and_the_first_credential_stays()
    {
        var (organization, user) = await MemberAsync();
        var key = KeyOf(organization, user);
        await Directory.AddCredentialAsync(key, default);

        await PortAssert.FailsAsync(PortFailureKind.Rejected, () => Directory.AddCredentialAsync(KeyOf(organization, user) with { Hash = key.Hash, Name = "thief" }, default));
        await PortAssert.FailsAsync(PortFailureKind.Rejected, () => Directory.AddCredentialAsync(KeyOf(organization, user) with { Id = key.Id, Name = "thief" }, default));

        AssertSame(key, await Directory.FindCredentialAsync(CredentialKind.ApiKey, key.Hash, default));
    }

    [Fact]
    public async Task Nobody_gets_a_credential_for_where_they_are_not()
    {
        var (organization, user) = await MemberAsync();
        var stranger = await Harness.AddUserAsync("Eve");

        await PortAssert.FailsAsync(PortFailureKind.Rejected, () => Directory.AddCredentialAsync(KeyOf(organization, stranger), default));
        await PortAssert.FailsAsync(PortFailureKind.Rejected, () => Directory.AddCredentialAsync(KeyOf(OrganizationId.New(TimeProvider.System), user), default));
        await PortAssert.FailsAsync(PortFailureKind.Rejected, () => Directory.AddCredentialAsync(PersonalOf(UserId.New(TimeProvider.System), CredentialKind.BrowserSession), default));
        await PortAssert.FailsAsync(PortFailureKind.Rejected, () => Directory.AddCredentialAsync(PersonalOf(user, CredentialKind.BrowserSession) with { Organization = organization }, default));
        await PortAssert.FailsAsync(PortFailureKind.Rejected, () => Directory.AddCredentialAsync(KeyOf(organization, user) with { Organization = null }, default));
    }

    [Fact]
    public async Task An_organizations_keys_are_listed_newest_first_without_the_revoked_and_without_other_tenants()
    {
        var (organization, user) = await MemberAsync();
        var (foreign, eve) = await MemberAsync();
        var older = KeyOf(organization, user) with { Name = "older" };
        var newer = KeyOf(organization, user) with { Name = "newer", CreatedAt = Now.AddMinutes(1), ExpiresAt = Now.AddMinutes(2) };
        var revoked = KeyOf(organization, user) with { Name = "revoked" };
        foreach (var key in (StoredCredential[])[older, newer, revoked, KeyOf(foreign, eve)]) await Directory.AddCredentialAsync(key, default);
        await Directory.RevokeCredentialAsync(revoked.Id, Now, default);

        var listed = await Directory.ListApiKeysAsync(new(organization, new(PrincipalKind.User, user.ToString(), "Ada"), Role.Owner), default);

        Assert.Equal(["newer", "older"], listed.Select(key => key.Name));
    }

    private static void AssertSame(StoredCredential expected, StoredCredential? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(expected.Hash, actual.Hash);
        Assert.Equal(expected, actual with { Hash = expected.Hash, Standing = null });
    }

    private static StoredCredential KeyOf(OrganizationId organization, UserId user) =>
        new(ApiKeyId.New(TimeProvider.System).Value, CredentialKind.ApiKey, RandomNumberGenerator.GetBytes(32), "abcd", "ci", user, organization, Role.Member, Now, null, null, null);

    private static StoredCredential PersonalOf(UserId user, CredentialKind kind) =>
        new(PrefixedId.NewValue(TimeProvider.System), kind, RandomNumberGenerator.GetBytes(32), "abcd", "Ada", user, null, Role.Viewer, Now, Now.AddDays(1), null, null);

    private async Task<(OrganizationId Organization, UserId User)> MemberAsync()
    {
        var user = await Harness.AddUserAsync("Ada");
        var organization = await Harness.AddOrganizationAsync("Acme");
        await Harness.SetRoleAsync(organization, user, Role.Member);
        return (organization, user);
    }
}
