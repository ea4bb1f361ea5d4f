using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Coordinator.Fakes;
using Coordinator.Modules.Kernel;
using Coordinator.Modules.Sandboxes.Repositories;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Coordinator.Tests.Modules.Sandboxes;

public sealed class RepositoryRouteTests : IAsyncLifetime
{
    private const string Url = "https://git.example/sample.git";

    private readonly InMemoryTenantDirectory directory = new(TimeProvider.System);
    private readonly InMemorySourceControl source = new();
    private readonly StubSessions sessions = new();
    private readonly StubTokens tokens = new();
    private readonly CapturedLog log = new();
    private LoopbackServer server = null!;
    private OrganizationId organization;
    private HttpClient member = null!;

    public async Task InitializeAsync()
    {
        server = await LoopbackServer.StartAsync(
            app =>
            {
                app.UseKernel();
                new DetectEnvironmentEndpoint().Map(app);
                ActivatorUtilities.CreateInstance<GetGitCredential>(app.Services).Map(app);
            },
            builder => builder.Services
                .AddSingleton(TimeProvider.System)
                .AddSingleton<ITenantDirectory>(directory)
                .AddSingleton<IAuthenticator, InMemoryAuthenticator>()
                .AddSingleton<ISessionHost>(sessions)
                .AddSingleton<ISourceControl>(source)
                .AddKernel(typeof(DetectEnvironmentEndpoint).Assembly),
            log);
        source.AddBranch(Url, "main", "c1", new Dictionary<string, string> { ["package.json"] = "{}", ["package-lock.json"] = "{}", [".env.example"] = "PORT=1" });
        organization = directory.AddOrganization("Acme");
        var user = directory.AddUser("Ada");
        directory.SetRole(organization, user, Role.Viewer);
        var authenticator = (InMemoryAuthenticator)server.Services.GetRequiredService<IAuthenticator>();
        member = With((await authenticator.IssueApiKeyAsync(new(organization, user, Role.Viewer, "key", null), default)).Secret);
    }

    public async Task DisposeAsync()
    {
        member.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task An_environment_is_detected_from_the_repository_alone()
    {
        var (status, answer) = await DetectAsync(new { repository = new { url = Url, branch = "main" } });

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("npm", answer.GetProperty("packageManager").GetString());
        Assert.Equal("npm install", answer.GetProperty("commands").GetProperty("install").GetString());
        Assert.Equal(3, answer.GetProperty("fileCount").GetInt32());
        Assert.Equal("PORT", answer.GetProperty("environmentVariables")[0].GetString());
        Assert.Equal("c1", answer.GetProperty("commit").GetString());
    }

    [Theory]
    [InlineData("""{"repository":{"url":"https://git.example/absent.git"}}""", 422, "repository_not_found")]
    [InlineData("""{"repository":{"url":"https://git.example/sample.git","branch":"absent"}}""", 422, "branch_not_found")]
    [InlineData("""{"repository":{"url":"git@git.example:sample.git"}}""", 422, "repository_url_invalid")]
    [InlineData("""{"repository":{"url":" "}}""", 422, "repository_required")]
    [InlineData("""{"repository":null}""", 422, "repository_required")]
    [InlineData("{}", 422, "repository_required")]
    [InlineData("nonsense", 400, "json_invalid")]
    public async Task A_repository_that_cannot_be_looked_into_is_a_problem_that_says_why(string body, int status, string code)
    {
        using var response = await member.PostAsync(new Uri("v1/environments:detect", UriKind.Relative), new StringContent(body, System.Text.Encoding.UTF8, "application/json"));

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(code, (await ReadAsync(response)).GetProperty("code").GetString());
    }

    [Fact]
    public async Task Nobody_detects_without_a_credential()
    {
        using var stranger = With(null);
        using var response = await stranger.PostAsync(new Uri("v1/environments:detect", UriKind.Relative), JsonContent.Create(new { repository = new { url = Url } }));

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task A_box_gets_the_credential_of_its_repositorys_host_and_it_is_not_logged()
    {
        source.SetCredential(organization, "git.example", new("ada", "canary-password", null));
        sessions.Settings = sessions.Settings with { Repository = new(Url, null) };

        var (status, answer) = await CredentialAsync("git.example");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(("ada", "canary-password"), (answer.GetProperty("username").GetString(), answer.GetProperty("password").GetString()));
        Assert.DoesNotContain("canary-password", log.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("git.example", HttpStatusCode.OK)]
    [InlineData("git.example:8443", HttpStatusCode.OK)]
    [InlineData("git.example:9443", HttpStatusCode.NotFound)]
    public async Task A_box_gets_the_credential_of_a_host_at_another_port_as_git_says_it(string host, HttpStatusCode expected)
    {
        source.SetCredential(organization, "git.example", new("ada", "canary-password", null));
        sessions.Settings = sessions.Settings with { Repository = new("https://git.example:8443/team/app", null) };

        Assert.Equal(expected, (await CredentialAsync(host)).Status);
    }

    [Theory]
    [InlineData("other.example", Url)]
    [InlineData("git.example.evil.example", Url)]
    [InlineData("git.example", null)]
    [InlineData("", Url)]
    public async Task A_box_gets_no_other_hosts_credential(string host, string? repository)
    {
        foreach (var known in new[] { "git.example", "other.example" }) source.SetCredential(organization, known, new("ada", "canary-password", null));
        sessions.Settings = sessions.Settings with { Repository = repository is null ? null : new(repository, null) };

        var (status, answer) = await CredentialAsync(host);

        Assert.Equal((HttpStatusCode.NotFound, "git_credential_not_found"), (status, answer.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task A_box_whose_organization_has_none_is_told_so()
    {
        sessions.Settings = sessions.Settings with { Repository = new(Url, null) };

        Assert.Equal(HttpStatusCode.NotFound, (await CredentialAsync("git.example")).Status);
    }

    [Fact]
    public async Task A_box_starts_without_its_secrets_because_loading_them_failed_softly__it_is_told_to_come_again_and_not_that_there_is_none()
    {
        source.SetCredential(organization, "git.example", new("ada", "canary-password", null));
        sessions.Settings = sessions.Settings with { Repository = new(Url, null) };
        source.Faults.FailBefore(calls: 1);

        var (status, answer) = await CredentialAsync("git.example");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "dependency_unavailable"), (status, answer.GetProperty("code").GetString()));
        Assert.Equal(HttpStatusCode.OK, (await CredentialAsync("git.example")).Status);
    }

    [Fact]
    public async Task A_box_that_is_not_wanted_gets_nothing()
    {
        source.SetCredential(organization, "git.example", new("ada", "canary-password", null));
        sessions.Settings = sessions.Settings with { Repository = new(Url, null) };
        sessions.Refuse = _ => StubSessions.NotWanted;

        Assert.Equal(HttpStatusCode.Gone, (await CredentialAsync("git.example")).Status);
    }

    private async Task<(HttpStatusCode Status, JsonElement Answer)> DetectAsync(object body)
    {
        using var response = await member.PostAsync(new Uri("v1/environments:detect", UriKind.Relative), JsonContent.Create(body));
        return (response.StatusCode, await ReadAsync(response));
    }

    private async Task<(HttpStatusCode Status, JsonElement Answer)> CredentialAsync(string host)
    {
        using var box = With(tokens.TokenFor(new(organization, SessionId.New(TimeProvider.System)), SandboxId.New(TimeProvider.System), 1));
        using var response = await box.GetAsync(new Uri($"v1/bridge/git-credential?host={host}", UriKind.Relative));
        return (response.StatusCode, await ReadAsync(response));
    }

    private HttpClient With(string? token)
    {
        var client = TestHttp.Client(server.Address);
        if (token is not null) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage response) => JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
}
