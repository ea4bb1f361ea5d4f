using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Conformance.TenantDirectory;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.Authenticator;

/// <summary>What every authenticator promises.</summary>
public abstract class AuthenticatorContract
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    protected abstract ITenantDirectoryHarness Harness { get; }

    protected abstract IAuthenticator Authenticator { get; }

    protected abstract ManualTime Time { get; }

    [Fact]
    public async Task A_browser_session_is_its_user_until_it_expires()
    {
        var user = await Harness.AddUserAsync("Ada");
        var session = await Authenticator.IssueBrowserSessionAsync(user, Lifetime, default);
        Assert.Equal(Time.GetUtcNow() + Lifetime, session.ExpiresAt);

        Time.Advance(Lifetime - TimeSpan.FromMilliseconds(1));
        var principal = await AuthenticateAsync(CredentialKind.BrowserSession, session.Secret);
        Time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(new(new(PrincipalKind.User, user.ToString(), "Ada"), null), principal.Value with { Standing = null });
        await AssertRefusedAsync(CredentialKind.BrowserSession, session.Secret);
    }

    [Fact]
    public async Task An_API_key_is_bound_to_its_organization_until_it_is_revoked()
    {
        var (organization, user) = await MemberAsync();
        var key = await Authenticator.IssueApiKeyAsync(new(organization, user, Role.Member, "ci", null), default);

        var principal = await AuthenticateAsync(CredentialKind.ApiKey, key.Secret);

        Assert.Equal(new(new(PrincipalKind.ApiKey, new ApiKeyId(key.Stored.Id).ToString(), "ci"), organization), principal.Value with { Standing = null });
        Assert.Equal(Role.Member, (await Harness.Directory.ResolveAsync(principal.Value, null, default)).Value.Role);
        await Harness.Directory.RevokeCredentialAsync(key.Stored.Id, Time.GetUtcNow(), default);
        await AssertRefusedAsync(CredentialKind.ApiKey, key.Secret);
    }

    [Fact]
    public async Task An_API_key_ends_when_it_was_made_to()
    {
        var (organization, user) = await MemberAsync();
        var key = await Authenticator.IssueApiKeyAsync(new(organization, user, Role.Member, "ci", Time.GetUtcNow() + Lifetime), default);
        Assert.True((await AuthenticateAsync(CredentialKind.ApiKey, key.Secret)).IsSuccess);

        Time.Advance(Lifetime);

        await AssertRefusedAsync(CredentialKind.ApiKey, key.Secret);
    }

    [Fact]
    public async Task A_sign_in_link_raced_by_twenty_callers_is_spent_once()
    {
        var link = await Authenticator.IssueSignInLinkAsync(await Harness.AddUserAsync("Ada"), Lifetime, default);

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(async () => await AuthenticateAsync(CredentialKind.SignInLink, link.Secret))));

        Assert.Single(answers, answer => answer.IsSuccess);
        Assert.All(answers.Where(answer => !answer.IsSuccess), answer => Assert.Equal("credential_invalid", answer.Problem?.Code));
    }

    [Fact]
    public async Task Unknown_wrong_expired_spent_and_revoked_are_one_and_the_same_refusal()
    {
        var user = await Harness.AddUserAsync("Ada");
        var expired = await Authenticator.IssueSignInLinkAsync(user, TimeSpan.FromSeconds(1), default);
        Time.Advance(TimeSpan.FromSeconds(1));
        var spent = await Authenticator.IssueSignInLinkAsync(user, Lifetime, default);
        await AuthenticateAsync(CredentialKind.SignInLink, spent.Secret);
        var revoked = await Authenticator.IssueBrowserSessionAsync(user, Lifetime, default);
        await Authenticator.RevokeBrowserSessionAsync(revoked.Secret, default);

        Problem?[] refusals =
        [
            (await AuthenticateAsync(CredentialKind.SignInLink, expired.Secret)).Problem,
            (await AuthenticateAsync(CredentialKind.SignInLink, spent.Secret)).Problem,
            (await AuthenticateAsync(CredentialKind.BrowserSession, revoked.Secret)).Problem,
            (await AuthenticateAsync(CredentialKind.ApiKey, "ck_" + new string('A', 43))).Problem,
            (await AuthenticateAsync(CredentialKind.ApiKey, "junk")).Problem,
            (await AuthenticateAsync(CredentialKind.ApiKey, string.Empty)).Problem,
            (await AuthenticateAsync(CredentialKind.BrowserSession, new string('x', 100_000))).Problem,
        ];

        Assert.All(refusals, refusal => Assert.Equal(refusals[0], refusal));
        Assert.Equal(("credential_invalid", ProblemKind.Unauthenticated), (refusals[0]?.Code, refusals[0]?.Kind));
    }

    [Fact]
    public async Task A_credential_of_one_kind_is_none_of_another()
    {
        var user = await Harness.AddUserAsync("Ada");
        var session = await Authenticator.IssueBrowserSessionAsync(user, Lifetime, default);
        var link = await Authenticator.IssueSignInLinkAsync(user, Lifetime, default);

        await AssertRefusedAsync(CredentialKind.SignInLink, session.Secret);
        await AssertRefusedAsync(CredentialKind.ApiKey, session.Secret);
        await AssertRefusedAsync(CredentialKind.BrowserSession, link.Secret);
        Assert.True((await AuthenticateAsync(CredentialKind.SignInLink, link.Secret)).IsSuccess);
    }

    [Fact]
    public async Task A_changed_character_makes_a_secret_worthless()
    {
        var session = await Authenticator.IssueBrowserSessionAsync(await Harness.AddUserAsync("Ada"), Lifetime, default);

        for (var index = 0; index < session.Secret.Length; index++)
        {
            var changed = session.Secret.ToCharArray();
            changed[index] = changed[index] == 'z' ? 'y' : 'z';
            await AssertRefusedAsync(CredentialKind.BrowserSession, new(changed));
        }
    }

    [Fact]
    public async Task Signing_out_twice_or_with_junk_is_done()
    {
        var session = await Authenticator.IssueBrowserSessionAsync(await Harness.AddUserAsync("Ada"), Lifetime, default);

        await Authenticator.RevokeBrowserSessionAsync(session.Secret, default);
        await Authenticator.RevokeBrowserSessionAsync(session.Secret, default);
        await Authenticator.RevokeBrowserSessionAsync("junk", default);

        await AssertRefusedAsync(CredentialKind.BrowserSession, session.Secret);
    }

    [Fact]
    public async Task Nobody_unknown_and_no_stranger_gets_a_credential()
    {
        var (organization, _) = await MemberAsync();
        var stranger = await Harness.AddUserAsync("Eve");
        var unknown = UserId.New(TimeProvider.System);

        await PortAssert.FailsAsync(PortFailureKind.Rejected, () => Authenticator.IssueBrowserSessionAsync(unknown, Lifetime, default));
        await PortAssert.FailsAsync(PortFailureKind.Rejected, () => Authenticator.IssueSignInLinkAsync(unknown, Lifetime, default));
        await PortAssert.FailsAsync(PortFailureKind.Rejected, () => Authenticator.IssueApiKeyAsync(new(organization, stranger, Role.Member, "ci", null), default));
    }

    [Fact]
    public async Task Secrets_say_their_kind_are_never_repeated_and_never_printed()
    {
        var (organization, user) = await MemberAsync();
        var sessions = new List<string>();
        for (var i = 0; i < 20; i++) sessions.Add((await Authenticator.IssueBrowserSessionAsync(user, Lifetime, default)).Secret);
        var link = await Authenticator.IssueSignInLinkAsync(user, Lifetime, default);
        var key = await Authenticator.IssueApiKeyAsync(new(organization, user, Role.Member, "ci", null), default);

        Assert.All(sessions, secret => Assert.Matches("^cs_[A-Za-z0-9_-]{43}$", secret));
        Assert.Matches("^sl_[A-Za-z0-9_-]{43}$", link.Secret);
        Assert.Matches("^ck_[A-Za-z0-9_-]{43}$", key.Secret);
        Assert.Equal(20, sessions.Distinct().Count());
        Assert.Equal(key.Secret[^4..], key.Stored.Hint);
        Assert.DoesNotContain(link.Secret, link.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(key.Secret, key.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(key.Secret, new PresentedCredential(CredentialKind.ApiKey, key.Secret).ToString(), StringComparison.Ordinal);
    }

    private async ValueTask<Result<AuthenticatedPrincipal>> AuthenticateAsync(CredentialKind kind, string secret) =>
        await Authenticator.AuthenticateAsync(new(kind, secret), default);

    private async Task AssertRefusedAsync(CredentialKind kind, string secret) =>
        Assert.Equal("credential_invalid", (await AuthenticateAsync(kind, secret)).Problem?.Code);

    private async Task<(OrganizationId Organization, UserId User)> MemberAsync()
    {
        var user = await Harness.AddUserAsync("Ada");
        var organization = await Harness.AddOrganizationAsync("Acme");
        await Harness.SetRoleAsync(organization, user, Role.Member);
        return (organization, user);
    }
}
