using System.Text.Json;
using Coordinator.Ports;
using Xunit;

namespace Coordinator.Tests.Modules.Tenancy;

public sealed class ApiKeyTests : IAsyncLifetime
{
    private TenancyServer server = null!;

    public async Task InitializeAsync() => server = await TenancyServer.StartAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task A_key_is_shown_once_and_works_until_it_is_deleted()
    {
        var owner = (await server.OwnerSignIn.InviteAsync(default)).Owner;
        using var browser = await server.BrowserAsync(owner.User);

        var created = await browser.PostAsync("/v1/api-keys", new { name = " ci ", role = "admin", expiresInDays = 7 }).JsonAsync(201);

        var secret = created.GetProperty("key").GetString()!;
        Assert.Equal(("ci", "admin", secret[^4..]), (created.GetProperty("name").GetString(), created.GetProperty("role").GetString(), created.GetProperty("hint").GetString()));
        Assert.Equal(server.Time.GetUtcNow().AddDays(7), created.GetProperty("expiresAt").GetDateTimeOffset());
        using var program = server.WithKey(secret);
        var me = await program.GetAsync("/v1/me").JsonAsync(200);
        Assert.Equal(("apiKey", "admin"), (me.GetProperty("principal").GetProperty("kind").GetString(), me.GetProperty("role").GetString()));
        var listed = await program.GetAsync("/v1/api-keys").JsonAsync(200);
        Assert.DoesNotContain(secret, listed.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(created.GetProperty("id").GetString(), Assert.Single(listed.GetProperty("items").EnumerateArray()).GetProperty("id").GetString());

        await browser.DeleteAsync($"/v1/api-keys/{created.GetProperty("id").GetString()}").JsonAsync(204);

        await program.GetAsync("/v1/me").RefusedAsync(401, "credential_invalid");
        Assert.DoesNotContain(secret, server.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Role.Viewer, null, "viewer")]
    [InlineData(Role.Member, null, "member")]
    [InlineData(Role.Owner, null, "member")]
    [InlineData(Role.Owner, "owner", "owner")]
    [InlineData(Role.Admin, "viewer", "viewer")]
    public async Task A_key_has_the_role_that_was_asked_for_or_a_members_at_most(Role makers, string? asked, string expected)
    {
        var maker = await server.MemberAsync(makers);

        var created = await maker.Http.PostAsync("/v1/api-keys", new { name = "ci", role = asked }).JsonAsync(201);

        Assert.Equal(expected, created.GetProperty("role").GetString());
    }

    [Theory]
    [InlineData(Role.Viewer, "member")]
    [InlineData(Role.Member, "admin")]
    [InlineData(Role.Admin, "owner")]
    public async Task A_key_never_does_more_than_its_maker(Role makers, string asked)
    {
        var maker = await server.MemberAsync(makers);

        await maker.Http.PostAsync("/v1/api-keys", new { name = "ci", role = asked }).RefusedAsync(403, "role_insufficient");

        Assert.Single(await KeysAsync(maker.Http));
    }

    [Fact]
    public async Task A_key_made_with_a_key_never_outlives_it()
    {
        using var browser = await server.BrowserAsync((await server.OwnerSignIn.InviteAsync(default)).Owner.User);
        var first = await browser.PostAsync("/v1/api-keys", new { name = "first", expiresInDays = 7 }).JsonAsync(201);
        using var program = server.WithKey(first.GetProperty("key").GetString()!);

        var eternal = await program.PostAsync("/v1/api-keys", new { name = "eternal" }).JsonAsync(201);
        var longer = await program.PostAsync("/v1/api-keys", new { name = "longer", expiresInDays = 8 }).JsonAsync(201);
        var shorter = await program.PostAsync("/v1/api-keys", new { name = "shorter", expiresInDays = 6 }).JsonAsync(201);

        Assert.Equal([7, 7, 6], ((JsonElement[])[eternal, longer, shorter]).Select(key => (key.GetProperty("expiresAt").GetDateTimeOffset() - server.Time.GetUtcNow()).Days));
    }

    [Fact]
    public async Task A_key_that_is_revoked_takes_the_keys_made_with_it_along()
    {
        using var browser = await server.BrowserAsync((await server.OwnerSignIn.InviteAsync(default)).Owner.User);
        var leaked = await browser.PostAsync("/v1/api-keys", new { name = "leaked" }).JsonAsync(201);
        using var program = server.WithKey(leaked.GetProperty("key").GetString()!);
        using var child = server.WithKey((await program.PostAsync("/v1/api-keys", new { name = "child" }).JsonAsync(201)).GetProperty("key").GetString()!);
        using var grandchild = server.WithKey((await child.PostAsync("/v1/api-keys", new { name = "grandchild" }).JsonAsync(201)).GetProperty("key").GetString()!);
        await grandchild.GetAsync("/v1/me").JsonAsync(200);

        await browser.DeleteAsync($"/v1/api-keys/{leaked.GetProperty("id").GetString()}").JsonAsync(204);

        foreach (var gone in (HttpClient[])[program, child, grandchild]) await gone.GetAsync("/v1/me").RefusedAsync(401, "credential_invalid");
        Assert.Empty(await KeysAsync(browser));
    }

    [Fact]
    public async Task Members_see_and_delete_their_own_keys_and_admins_all()
    {
        var admin = await server.MemberAsync(Role.Admin);
        var member = await server.MemberAsync(Role.Member, admin.Organization);

        Assert.Equal([member.Key.ToString()], await KeysAsync(member.Http));
        Assert.Equal(2, (await KeysAsync(admin.Http)).Count);
        await member.Http.DeleteAsync($"/v1/api-keys/{admin.Key}").RefusedAsync(404, "api_key_not_found");
        await admin.Http.DeleteAsync($"/v1/api-keys/{member.Key}").JsonAsync(204);

        Assert.Equal([admin.Key.ToString()], await KeysAsync(admin.Http));
    }

    [Fact]
    public async Task Another_tenants_key_is_as_if_it_did_not_exist()
    {
        var own = await server.MemberAsync(Role.Owner);
        var foreign = await server.MemberAsync(Role.Owner);

        await own.Http.DeleteAsync($"/v1/api-keys/{foreign.Key}").RefusedAsync(404, "api_key_not_found");
        await own.Http.DeleteAsync($"/v1/api-keys/{ApiKeyId.New(TimeProvider.System)}").RefusedAsync(404, "api_key_not_found");
        await own.Http.DeleteAsync("/v1/api-keys/junk").RefusedAsync(404, "api_key_not_found");

        Assert.Equal([foreign.Key.ToString()], await KeysAsync(foreign.Http));
    }

    [Theory]
    [InlineData("", null, "name_invalid")]
    [InlineData("   ", null, "name_invalid")]
    [InlineData("two\nlines", null, "name_invalid")]
    [InlineData("ci", 0, "expiry_invalid")]
    [InlineData("ci", 3651, "expiry_invalid")]
    public async Task What_makes_no_sense_is_refused(string name, int? expiresInDays, string code)
    {
        var maker = await server.MemberAsync(Role.Owner);

        await maker.Http.PostAsync("/v1/api-keys", new { name, expiresInDays }).RefusedAsync(422, code);
    }

    [Fact]
    public async Task An_organization_has_so_many_keys_at_most()
    {
        var owner = await server.MemberAsync(Role.Owner);
        for (var i = 1; i < 200; i++) await server.Authenticator.IssueApiKeyAsync(new(owner.Organization, owner.User, Role.Viewer, "filler", null), default);

        await owner.Http.PostAsync("/v1/api-keys", new { name = "one more" }).RefusedAsync(409, "too_many_api_keys");
    }

    private static async Task<List<string>> KeysAsync(HttpClient client) =>
        [.. (await client.GetAsync("/v1/api-keys").JsonAsync(200)).GetProperty("items").EnumerateArray().Select(key => key.GetProperty("id").GetString()!)];
}
