using System.Security.Cryptography;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.TenantDirectory;

public sealed class PostgresTenantDirectoryTests(PostgresFixture postgres) : TenantDirectoryContract, IClassFixture<PostgresFixture>
{
    protected override ITenantDirectoryHarness Harness { get; } = new PostgresDirectoryHarness(postgres);
}

public sealed class PostgresCredentialStoreTests(PostgresFixture postgres) : CredentialStoreContract, IClassFixture<PostgresFixture>
{
    protected override ITenantDirectoryHarness Harness { get; } = new PostgresDirectoryHarness(postgres);
}

/// <summary>What is found with a credential says the same as what the directory says when it is asked.</summary>
public sealed class PostgresCallerStandingTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly PostgresDirectoryHarness harness = new(postgres);

    [Fact]
    public async Task A_key_is_found_with_its_place_and_the_role_that_its_maker_leaves_it()
    {
        var (organization, ada) = await MemberAsync(Role.Owner);
        var hash = await AddAsync(CredentialKind.ApiKey, ada, organization, Role.Admin);

        Assert.Equal(Role.Admin, Assert.Single((await StandingAsync(CredentialKind.ApiKey, hash)).Places).Role);
        await harness.SetRoleAsync(organization, ada, Role.Viewer);
        Assert.Equal(Role.Viewer, Assert.Single((await StandingAsync(CredentialKind.ApiKey, hash)).Places).Role);
        await harness.SetRoleAsync(organization, ada, null);
        Assert.Empty((await StandingAsync(CredentialKind.ApiKey, hash)).Places);
    }

    [Fact]
    public async Task A_key_that_was_revoked_is_found_with_no_place()
    {
        var (organization, ada) = await MemberAsync(Role.Owner);
        var hash = await AddAsync(CredentialKind.ApiKey, ada, organization, Role.Admin);
        var id = (await harness.Directory.FindCredentialAsync(CredentialKind.ApiKey, hash, default))!.Id;

        await harness.Directory.RevokeCredentialAsync(id, Now, default);

        Assert.Empty((await StandingAsync(CredentialKind.ApiKey, hash)).Places);
    }

    [Fact]
    public async Task A_browser_session_is_found_with_its_persons_present_name_and_all_their_places()
    {
        var (first, ada) = await MemberAsync(Role.Member);
        var second = await harness.AddOrganizationAsync("Another");
        await harness.SetRoleAsync(second, ada, Role.Owner);
        await MemberAsync(Role.Owner); // somebody else's
        var hash = await AddAsync(CredentialKind.BrowserSession, ada, null, Role.Viewer);

        var standing = await StandingAsync(CredentialKind.BrowserSession, hash);

        Assert.Equal("Ada", standing.Name);
        Assert.Equal([(first, Role.Member), (second, Role.Owner)], standing.Places.Select(place => (place.Id, place.Role)));
        var principal = new AuthenticatedPrincipal(new(PrincipalKind.User, ada.ToString(), "as signed in"), null);
        Assert.Equal(await harness.Directory.ResolveAsync(principal, second, default), await harness.Directory.ResolveAsync(principal with { Standing = standing }, second, default));
    }

    [Fact]
    public async Task What_a_principal_brings_is_not_asked_again()
    {
        var (organization, ada) = await MemberAsync(Role.Owner);
        var nowhere = new AuthenticatedPrincipal(new(PrincipalKind.User, ada.ToString(), "Ada"), null) { Standing = new(null, []) };

        Assert.Equal("organization_not_found", (await harness.Directory.ResolveAsync(nowhere, organization, default)).Problem!.Code);
    }

    private async Task<CallerStanding> StandingAsync(CredentialKind kind, byte[] hash) => (await harness.Directory.FindCredentialAsync(kind, hash, default))!.Standing!;

    private async Task<byte[]> AddAsync(CredentialKind kind, UserId user, OrganizationId? organization, Role role)
    {
        var hash = RandomNumberGenerator.GetBytes(32);
        await harness.Directory.AddCredentialAsync(new(ApiKeyId.New(TimeProvider.System).Value, kind, hash, "abcd", "ci", user, organization, role, Now, Now.AddDays(1), null, null), default);
        return hash;
    }

    private async Task<(OrganizationId Organization, UserId User)> MemberAsync(Role role)
    {
        var user = await harness.AddUserAsync("Ada");
        var organization = await harness.AddOrganizationAsync("Acme");
        await harness.SetRoleAsync(organization, user, role);
        return (organization, user);
    }
}

public sealed class PostgresSecretStoreTests(PostgresFixture postgres) : SecretStoreContract, IClassFixture<PostgresFixture>
{
    protected override ITenantDirectoryHarness Harness { get; } = new PostgresDirectoryHarness(postgres);
}

public sealed class PostgresRequestMemoryTests(PostgresFixture postgres) : RequestMemoryContract, IClassFixture<PostgresFixture>
{
    protected override ITenantDirectoryHarness Harness { get; } = new PostgresDirectoryHarness(postgres);

    [Fact]
    public async Task What_is_forgotten_is_cleared_away_by_those_who_claim_and_nothing_else_is()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        var now = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        await CountAsync("INSERT INTO idempotent_request (org, scope, key, body_hash, claimed_at) SELECT $1, 'scope', n::text, '', $2 FROM generate_series(1, 400) AS n RETURNING 1", organization.Value, now - TimeSpan.FromHours(24));
        var claims = 0;

        await Eventually.HoldsAsync(
            async () =>
            {
                await Harness.Directory.ClaimRequestAsync(organization, "other", $"{claims++}", new byte[] { 1 }, now, TimeSpan.FromHours(1), default);
                return await CountAsync("SELECT count(*) FROM idempotent_request WHERE org = $1 AND scope = 'scope' AND claimed_at <= $2", organization.Value, now) == 0;
            },
            "what is forgotten to be cleared away");

        Assert.Equal(claims, await CountAsync("SELECT count(*) FROM idempotent_request WHERE org = $1 AND claimed_at <= $2", organization.Value, now));
    }

    private async Task<long> CountAsync(string sql, params object[] values)
    {
        await using var command = postgres.Owner.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        return Convert.ToInt64(await command.ExecuteScalarAsync(), System.Globalization.CultureInfo.InvariantCulture);
    }
}
