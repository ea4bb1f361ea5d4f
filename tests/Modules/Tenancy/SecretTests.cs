using System.Text;
using Coordinator.Ports;
using Xunit;

namespace Coordinator.Tests.Modules.Tenancy;

public sealed class SecretTests : IAsyncLifetime
{
    private const string Canary = "sk-canary-5d0f1e2a-wxyz";
    private TenancyServer server = null!;

    public async Task InitializeAsync() => server = await TenancyServer.StartAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Theory]
    [InlineData("models/openai", "models/openai")]
    [InlineData("models%2Fopenai", "models/openai")]
    [InlineData("git/github.com", "git/github.com")]
    [InlineData("a", "a")]
    public async Task A_secret_is_sealed_for_its_organization_under_its_name(string path, string name)
    {
        var admin = await server.MemberAsync(Role.Admin);

        await admin.Http.PutAsync($"/v1/secrets/{path}", new { value = Canary }).JsonAsync(204);

        var stored = await server.Directory.FindSecretAsync(admin.Organization, name, default);
        Assert.Equal(Canary, Encoding.UTF8.GetString(await server.Vault.OpenAsync(admin.Organization, name, stored!.Sealed, default)));
    }

    [Fact]
    public async Task Secrets_are_listed_by_name_with_a_hint_and_never_a_value()
    {
        var admin = await server.MemberAsync(Role.Admin);
        await admin.Http.PutAsync("/v1/secrets/models/openai", new { value = Canary }).JsonAsync(204);
        await admin.Http.PutAsync("/v1/secrets/a", new { value = "123456789012345" }).JsonAsync(204);
        await admin.Http.PutAsync("/v1/secrets/b", new { value = "1234567890123456" }).JsonAsync(204);

        var listed = await admin.Http.GetAsync("/v1/secrets").JsonAsync(200);

        Assert.Equal(
            [("a", null), ("b", "3456"), ("models/openai", "wxyz")],
            listed.GetProperty("items").EnumerateArray().Select(secret => (secret.GetProperty("name").GetString()!, secret.GetProperty("hint").GetString())));
        Assert.DoesNotContain("canary", listed.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain("canary", server.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_deleted_secret_is_gone()
    {
        var admin = await server.MemberAsync(Role.Admin);
        await admin.Http.PutAsync("/v1/secrets/git/github.com", new { value = "octocat:token" }).JsonAsync(204);

        await admin.Http.DeleteAsync("/v1/secrets/git%2Fgithub.com").JsonAsync(204);

        await admin.Http.DeleteAsync("/v1/secrets/git/github.com").RefusedAsync(404, "secret_not_found");
        Assert.Equal(0, (await admin.Http.GetAsync("/v1/secrets").JsonAsync(200)).GetProperty("items").GetArrayLength());
    }

    [Theory]
    [InlineData("Models/openai", "x", 422, "secret_name_invalid")]
    [InlineData("a%20b", "x", 422, "secret_name_invalid")]
    [InlineData("a", "", 422, "secret_empty")]
    [InlineData("models/openai", "sk-pasted\n", 422, "secret_malformed")]
    [InlineData("git/github.com", "two words", 422, "secret_malformed")]
    public async Task What_makes_no_sense_is_refused(string path, string value, int status, string code)
    {
        var admin = await server.MemberAsync(Role.Admin);

        await admin.Http.PutAsync($"/v1/secrets/{path}", new { value }).RefusedAsync(status, code);
    }

    [Theory]
    [InlineData(16 * 1024, 204)]
    [InlineData((16 * 1024) + 1, 413)]
    [InlineData(200 * 1024, 413)]
    public async Task A_secret_has_sixteen_kibibytes_at_most(int length, int status)
    {
        var admin = await server.MemberAsync(Role.Admin);

        await admin.Http.PutAsync("/v1/secrets/certificate", new { value = new string('x', length) }).JsonAsync(status);
    }

    [Fact]
    public async Task The_limit_counts_bytes_and_names_have_one_too()
    {
        var admin = await server.MemberAsync(Role.Admin);

        await admin.Http.PutAsync("/v1/secrets/a", new { value = new string('€', 6 * 1024) }).RefusedAsync(413, "secret_too_large");
        await admin.Http.PutAsync($"/v1/secrets/{new string('a', 120)}", new { value = "x" }).JsonAsync(204);
        await admin.Http.PutAsync($"/v1/secrets/{new string('a', 121)}", new { value = "x" }).RefusedAsync(422, "secret_name_invalid");
    }

    [Theory]
    [InlineData(Role.Viewer, 403, 403)]
    [InlineData(Role.Member, 200, 403)]
    [InlineData(Role.Owner, 200, 204)]
    public async Task Members_see_names_and_admins_change_them(Role role, int list, int put)
    {
        var member = await server.MemberAsync(role);

        await member.Http.GetAsync("/v1/secrets").JsonAsync(list);
        await member.Http.PutAsync("/v1/secrets/a", new { value = "x" }).JsonAsync(put);
        await member.Http.DeleteAsync("/v1/secrets/a").JsonAsync(put);
    }

    [Fact]
    public async Task Another_tenants_secret_is_as_if_it_did_not_exist()
    {
        var own = await server.MemberAsync(Role.Owner);
        var foreign = await server.MemberAsync(Role.Owner);
        await foreign.Http.PutAsync("/v1/secrets/models/openai", new { value = Canary }).JsonAsync(204);

        Assert.Equal(0, (await own.Http.GetAsync("/v1/secrets").JsonAsync(200)).GetProperty("items").GetArrayLength());
        await own.Http.DeleteAsync("/v1/secrets/models/openai").RefusedAsync(404, "secret_not_found");
        own.Http.DefaultRequestHeaders.Add("Coordinator-Organization", foreign.Organization.ToString());
        await own.Http.GetAsync("/v1/secrets").RefusedAsync(404, "organization_not_found");
        Assert.NotNull(await server.Directory.FindSecretAsync(foreign.Organization, "models/openai", default));
    }

    [Fact]
    public async Task When_the_store_is_down_the_caller_may_try_again()
    {
        var admin = await server.MemberAsync(Role.Admin);
        var vault = (Fakes.InMemoryTenantVault)server.Vault;
        vault.Faults.FailBefore(PortFailureKind.Unavailable, calls: 1);

        await admin.Http.PutAsync("/v1/secrets/a", new { value = "x" }).RefusedAsync(503, "dependency_unavailable");

        await admin.Http.PutAsync("/v1/secrets/a", new { value = "x" }).JsonAsync(204);
    }
}
