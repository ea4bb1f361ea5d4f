using System.Text.Json;
using Coordinator.Ports;
using Xunit;

namespace Coordinator.Tests.Modules.Tenancy;

public sealed class OrganizationTests : IAsyncLifetime
{
    private const string Header = "Coordinator-Organization";

    private TenancyServer server = null!;

    public async Task InitializeAsync() => server = await TenancyServer.StartAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task A_person_makes_a_second_organization_and_then_says_which_they_mean()
    {
        var owner = (await server.OwnerSignIn.InviteAsync(default)).Owner;
        using var browser = await server.BrowserAsync(owner.User);

        var made = await browser.PostAsync("/v1/organizations", new { name = " Second " }).JsonAsync(201);

        Assert.Equal("Second", made.GetProperty("name").GetString());
        var second = made.GetProperty("id").GetString()!;
        await browser.GetAsync("/v1/me").RefusedAsync(400, "organization_required");
        var listed = await browser.GetAsync("/v1/organizations").JsonAsync(200);
        Assert.Equal([(owner.Organization.ToString(), "owner"), (second, "owner")], listed.GetProperty("items").EnumerateArray().Select(one => (one.GetProperty("id").GetString()!, one.GetProperty("role").GetString()!)));

        browser.DefaultRequestHeaders.Add(Header, second);
        Assert.Equal(second, OrganizationOf(await browser.GetAsync("/v1/me").JsonAsync(200)));
    }

    [Fact]
    public async Task Where_a_browser_can_set_no_header_the_query_names_the_organization()
    {
        var owner = (await server.OwnerSignIn.InviteAsync(default)).Owner;
        using var browser = await server.BrowserAsync(owner.User);
        var second = (await browser.PostAsync("/v1/organizations", new { name = "Second" }).JsonAsync(201)).GetProperty("id").GetString()!;

        Assert.Equal(second, OrganizationOf(await browser.GetAsync($"/v1/me?organization={second}").JsonAsync(200)));

        browser.DefaultRequestHeaders.Add(Header, owner.Organization.ToString());
        await browser.GetAsync($"/v1/me?organization={second}").RefusedAsync(404, "organization_not_found");
    }

    [Fact]
    public async Task A_retry_makes_no_second_one()
    {
        var owner = (await server.OwnerSignIn.InviteAsync(default)).Owner;
        using var browser = await server.BrowserAsync(owner.User);
        browser.DefaultRequestHeaders.Add("Idempotency-Key", "once");
        browser.DefaultRequestHeaders.Add(Header, owner.Organization.ToString());

        var first = await browser.PostAsync("/v1/organizations", new { name = "Second" }).JsonAsync(201);
        var again = await browser.PostAsync("/v1/organizations", new { name = "Second" }).JsonAsync(201);

        Assert.Equal(first.GetRawText(), again.GetRawText());
        Assert.Equal(2, (await browser.GetAsync("/v1/organizations").JsonAsync(200)).GetProperty("items").GetArrayLength());
    }

    [Theory]
    [InlineData((24 * 60) - 1, 2)]
    [InlineData(24 * 60, 3)]
    [InlineData(36 * 60, 3)]
    public async Task A_key_stands_for_what_it_made_for_a_day_also_when_nobody_remembers_and_is_free_after_it(int minutes, int organizations)
    {
        var owner = (await server.OwnerSignIn.InviteAsync(default)).Owner;
        using var browser = await server.BrowserAsync(owner.User, TimeSpan.FromDays(7));
        browser.DefaultRequestHeaders.Add("Idempotency-Key", "once");
        browser.DefaultRequestHeaders.Add(Header, owner.Organization.ToString());

        await browser.PostAsync("/v1/organizations", new { name = "Second" }).JsonAsync(201);
        server.Directory.ForgetRequests();
        server.Time.Advance(TimeSpan.FromMinutes(minutes));
        await browser.PostAsync("/v1/organizations", new { name = "Second" }).JsonAsync(201);

        Assert.Equal(organizations, (await browser.GetAsync("/v1/organizations").JsonAsync(200)).GetProperty("items").GetArrayLength());
    }

    [Theory]
    [InlineData("")]
    [InlineData("two\nlines")]
    public async Task A_name_that_is_none_is_refused_and_makes_nothing(string name)
    {
        var owner = (await server.OwnerSignIn.InviteAsync(default)).Owner;
        using var browser = await server.BrowserAsync(owner.User);

        await browser.PostAsync("/v1/organizations", new { name }).RefusedAsync(422, "name_invalid");

        Assert.Single((await browser.GetAsync("/v1/organizations").JsonAsync(200)).GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task Programs_and_those_who_own_nothing_make_none()
    {
        var program = await server.MemberAsync(Role.Owner);
        await program.Http.PostAsync("/v1/organizations", new { name = "Second" }).RefusedAsync(403, "person_required");

        var admin = server.Directory.AddUser("Ada");
        server.Directory.SetRole(program.Organization, admin, Role.Admin);
        using var browser = await server.BrowserAsync(admin);
        await browser.PostAsync("/v1/organizations", new { name = "Second" }).RefusedAsync(403, "role_insufficient");
    }

    private static string? OrganizationOf(JsonElement me) => me.GetProperty("organization").GetProperty("id").GetString();
}
