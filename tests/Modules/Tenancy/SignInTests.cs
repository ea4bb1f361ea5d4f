using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Xunit;

namespace Coordinator.Tests.Modules.Tenancy;

public sealed class SignInTests : IAsyncLifetime
{
    private TenancyServer server = null!;

    public async Task InitializeAsync() => server = await TenancyServer.StartAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task The_hosts_link_signs_the_owner_in_once()
    {
        var invitation = await server.OwnerSignIn.InviteAsync(default);
        using var client = server.Anyone();

        var signedIn = await client.PostAsync("/v1/sign-in", new { link = invitation.Link.Secret }).JsonAsync(200);

        Assert.Equal(invitation.Owner.User.ToString(), signedIn.GetProperty("user").GetProperty("id").GetString());
        Assert.Equal("Owner", signedIn.GetProperty("user").GetProperty("displayName").GetString());
        Assert.Equal(invitation.Owner.Organization.ToString(), signedIn.GetProperty("organization").GetProperty("id").GetString());
        await client.PostAsync("/v1/sign-in", new { link = invitation.Link.Secret }).RefusedAsync(401, "credential_invalid");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_browsers_session_is_a_cookie_that_scripts_cannot_read_and_TLS_keeps(bool tls)
    {
        var invitation = await server.OwnerSignIn.InviteAsync(default);
        using var client = server.Anyone();
        if (tls) client.DefaultRequestHeaders.Add(TenancyServer.TlsHeader, "1");

        using var response = await client.PostAsync("/v1/sign-in", new { link = invitation.Link.Secret });

        var cookie = Assert.Single(response.Headers.GetValues("Set-Cookie")).ToLowerInvariant();
        Assert.StartsWith("coordinator_session=cs_", cookie, StringComparison.Ordinal);
        foreach (var attribute in (string[])["httponly", "samesite=lax", "path=/"]) Assert.Contains($"; {attribute}", cookie, StringComparison.Ordinal);
        Assert.Equal(tls, cookie.Contains("; secure", StringComparison.Ordinal));
        Assert.DoesNotContain("cs_", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_start_of_the_host_invites_the_same_owner()
    {
        var first = await server.OwnerSignIn.InviteAsync(default);
        var second = await server.OwnerSignIn.InviteAsync(default);

        Assert.True(first.Owner.Created);
        Assert.Equal(first.Owner with { Created = false }, second.Owner);
        Assert.NotEqual(first.Link.Secret, second.Link.Secret);
    }

    [Fact]
    public async Task The_link_stands_in_the_fragment_which_proxies_do_not_log()
    {
        var invitation = await server.OwnerSignIn.InviteAsync(default);

        var address = invitation.At(new("http://localhost:8787"));

        Assert.Equal(("/sign-in", $"#{invitation.Link.Secret}"), (address.PathAndQuery, address.Fragment));
        Assert.DoesNotContain(invitation.Link.Secret, invitation.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_that_is_too_old_or_never_was_is_refused()
    {
        var invitation = await server.OwnerSignIn.InviteAsync(default);
        server.Time.Advance(TimeSpan.FromHours(1));
        using var client = server.Anyone();

        await client.PostAsync("/v1/sign-in", new { link = invitation.Link.Secret }).RefusedAsync(401, "credential_invalid");
        await client.PostAsync("/v1/sign-in", new { link = "sl_never" }).RefusedAsync(401, "credential_invalid");
        await client.PostAsync("/v1/sign-in", new { }).RefusedAsync(400, "link_required");
    }

    [Fact]
    public async Task A_person_without_an_organization_is_told_so_and_gets_no_session()
    {
        var link = await server.Authenticator.IssueSignInLinkAsync(server.Directory.AddUser("Ada"), TimeSpan.FromHours(1), default);
        using var client = server.Anyone();

        using var response = await client.PostAsync("/v1/sign-in", new { link = link.Secret });

        Assert.Equal(404, (int)response.StatusCode);
        Assert.False(response.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task Me_names_the_caller_the_organization_and_the_role()
    {
        var owner = (await server.OwnerSignIn.InviteAsync(default)).Owner;
        var second = server.Directory.AddOrganization("Second");
        server.Directory.SetRole(second, owner.User, Role.Viewer);
        using var browser = await server.BrowserAsync(owner.User);
        await browser.GetAsync("/v1/me").RefusedAsync(400, "organization_required");
        browser.DefaultRequestHeaders.Add("Coordinator-Organization", second.ToString());

        var me = await browser.GetAsync("/v1/me").JsonAsync(200);

        Assert.Equal(("user", "Owner"), (me.GetProperty("principal").GetProperty("kind").GetString(), me.GetProperty("principal").GetProperty("displayName").GetString()));
        Assert.Equal(("Second", "viewer"), (me.GetProperty("organization").GetProperty("name").GetString(), me.GetProperty("role").GetString()));
        Assert.Equal(["owner", "viewer"], me.GetProperty("organizations").EnumerateArray().Select(organization => organization.GetProperty("role").GetString()));
    }

    [Fact]
    public async Task Signing_out_ends_the_session_for_good_and_clears_the_cookie()
    {
        using var browser = await server.BrowserAsync((await server.OwnerSignIn.InviteAsync(default)).Owner.User);
        await browser.GetAsync("/v1/me").JsonAsync(200);

        using var signedOut = await browser.PostAsync("/v1/sign-out", null);

        Assert.Equal(204, (int)signedOut.StatusCode);
        Assert.StartsWith("coordinator_session=; expires=Thu, 01 Jan 1970", Assert.Single(signedOut.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
        await browser.GetAsync("/v1/me").RefusedAsync(401, "credential_invalid");
        await browser.PostAsync("/v1/sign-out", null).JsonAsync(204);
        using var anyone = server.Anyone();
        await anyone.PostAsync("/v1/sign-out", null).JsonAsync(204);
    }

    [Fact]
    public async Task Nobody_is_told_they_are_signed_out_while_they_are_not()
    {
        using var browser = await server.BrowserAsync((await server.OwnerSignIn.InviteAsync(default)).Owner.User);
        server.Authenticator.Faults.FailBefore(PortFailureKind.Unavailable, calls: 1);

        using var failed = await browser.PostAsync("/v1/sign-out", null);

        Assert.Equal(503, (int)failed.StatusCode);
        Assert.False(failed.Headers.Contains("Set-Cookie"));
        await browser.GetAsync("/v1/me").JsonAsync(200);
    }

    [Fact]
    public async Task No_secret_of_a_sign_in_is_logged()
    {
        var invitation = await server.OwnerSignIn.InviteAsync(default);
        using var client = server.Anyone();
        using var response = await client.PostAsync("/v1/sign-in", new { link = invitation.Link.Secret });
        var session = response.Headers.GetValues("Set-Cookie").Single().Split(['=', ';'])[1];

        Assert.StartsWith("cs_", session, StringComparison.Ordinal);
        Assert.DoesNotContain(invitation.Link.Secret, server.Log, StringComparison.Ordinal);
        Assert.DoesNotContain(session, server.Log, StringComparison.Ordinal);
    }
}
