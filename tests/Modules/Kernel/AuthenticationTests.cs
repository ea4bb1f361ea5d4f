using Coordinator.Ports;
using Coordinator.Tests.Modules.Tenancy;
using Xunit;

namespace Coordinator.Tests.Modules.Kernel;

public sealed class AuthenticationTests : IAsyncLifetime
{
    private KernelServer server = null!;

    public async Task InitializeAsync() => server = await KernelServer.StartAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task Without_a_credential_a_route_says_which_it_wants()
    {
        using var anyone = server.Anyone();

        using var response = await anyone.GetAsync(new Uri("/v1/whoami", UriKind.Relative));

        Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().Scheme);
        await Task.FromResult(response).RefusedAsync(401, "credential_missing");
    }

    [Theory]
    [InlineData("Bearer ck_unknown")]
    [InlineData("Bearer sb_org.ses.box.1.x")]
    [InlineData("Bearer cs_cookie-as-header")]
    [InlineData("Basic dXNlcjpwYXNz")]
    [InlineData("ck_without-scheme")]
    public async Task What_is_not_a_valid_key_is_one_and_the_same_refusal(string header)
    {
        using var anyone = server.Anyone();
        anyone.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", header);

        await anyone.GetAsync("/v1/whoami").RefusedAsync(401, "credential_invalid");
    }

    [Fact]
    public async Task A_key_acts_for_its_organization_only()
    {
        var (organization, program) = await server.MemberAsync(Role.Admin);
        var (foreign, _) = await server.MemberAsync(Role.Owner);

        Assert.Equal($"ApiKey {organization} Admin", await program.GetStringAsync("/v1/whoami"));

        program.DefaultRequestHeaders.Add("Coordinator-Organization", foreign.ToString());
        await program.GetAsync("/v1/whoami").RefusedAsync(404, "organization_not_found");
    }

    [Theory]
    [InlineData("junk")]
    [InlineData("")]
    [InlineData("org_00000000000000000000000000")]
    public async Task An_organization_that_is_not_ones_own_does_not_exist(string named)
    {
        using var program = await server.ProgramAsync();
        program.DefaultRequestHeaders.TryAddWithoutValidation("Coordinator-Organization", named);

        await program.GetAsync("/v1/whoami").RefusedAsync(404, "organization_not_found");
    }

    [Fact]
    public async Task A_person_in_several_organizations_must_name_one_where_one_is_needed()
    {
        using var browser = await server.BrowserAsync(Role.Owner, Role.Member);

        await browser.GetAsync("/v1/whoami").RefusedAsync(400, "organization_required");
        Assert.Equal("Ada", await browser.GetStringAsync("/v1/person"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("null")]
    [InlineData("https://evil.example")]
    [InlineData("http://127.0.0.1:1")]
    public async Task A_cookie_changes_nothing_from_another_sites_page(string? origin)
    {
        using var browser = await server.BrowserAsync(Role.Owner);
        if (origin is not null) browser.DefaultRequestHeaders.Add("Origin", origin);

        await browser.PostAsync("/v1/things", new { }).RefusedAsync(403, "origin_refused");

        Assert.Equal(0, server.Runs);
        Assert.StartsWith("User", await browser.GetStringAsync("/v1/whoami"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cookie_works_from_this_hosts_pages()
    {
        using var browser = await server.BrowserAsync(Role.Owner);
        browser.DefaultRequestHeaders.Add("Origin", server.Origin);

        await browser.PostAsync("/v1/things", new { }).JsonAsync(201);
    }

    [Fact]
    public async Task Another_sites_page_cannot_sign_a_visitor_in()
    {
        using var anyone = server.Anyone();
        Assert.Equal("open", await (await anyone.PostAsync("/v1/open", new { })).Content.ReadAsStringAsync());

        anyone.DefaultRequestHeaders.Add("Origin", "https://evil.example");

        await anyone.PostAsync("/v1/open", new { }).RefusedAsync(403, "origin_refused");
    }

    [Fact]
    public async Task Guesses_at_a_credential_are_limited_and_may_go_on_after_a_minute()
    {
        using var anyone = server.Anyone();
        for (var i = 0; i < Coordinator.Modules.Kernel.Authentication.AttemptLimiter.PerAddress; i++)
            (await anyone.PostAsync("/v1/guess", new { })).EnsureSuccessStatusCode();

        using var refused = await anyone.PostAsync("/v1/guess", new { });
        Assert.Equal("60", refused.Headers.GetValues("Retry-After").Single());
        await Task.FromResult(refused).RefusedAsync(429, "too_many_attempts");

        server.Time.Advance(TimeSpan.FromMinutes(1));
        (await anyone.PostAsync("/v1/guess", new { })).EnsureSuccessStatusCode();
    }

    [Fact]
    public async Task When_credentials_cannot_be_checked_nobody_gets_in()
    {
        using var program = await server.ProgramAsync();
        server.Directory.Faults.FailBefore();

        await program.GetAsync("/v1/whoami").RefusedAsync(503, "dependency_unavailable");
    }
}
