using System.Net.Http.Headers;
using Coordinator.Fakes;
using Coordinator.Modules.Kernel;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Coordinator.Tests.Modules.Kernel;

/// <summary>The kernel's middleware over fakes, with a few routes that show what it did.</summary>
internal sealed class KernelServer : IAsyncDisposable
{
    private readonly LoopbackServer server;

    private KernelServer(LoopbackServer server) => this.server = server;

    public ManualTime Time => (ManualTime)server.Services.GetRequiredService<TimeProvider>();

    public InMemoryTenantDirectory Directory => (InMemoryTenantDirectory)server.Services.GetRequiredService<ITenantDirectory>();

    public InMemoryAuthenticator Authenticator => (InMemoryAuthenticator)server.Services.GetRequiredService<IAuthenticator>();

    public string Origin => server.Address.GetLeftPart(UriPartial.Authority);

    /// <summary>How often <c>POST /v1/things</c> ran.</summary>
    public int Runs;

    /// <summary>What <c>POST /v1/things</c> does after counting itself.</summary>
    public Func<HttpContext, Task<IResult>> Work { get; set; } = _ => Task.FromResult(Results.Json(new { made = true }, statusCode: 201));

    public static async Task<KernelServer> StartAsync()
    {
        KernelServer? self = null;
        var server = await LoopbackServer.StartAsync(
            app =>
            {
                app.UseKernel();
                app.MapGet("/v1/whoami", (HttpContext context) => $"{context.Tenant().Principal.Kind} {context.Tenant().Organization} {context.Tenant().Role}");
                app.MapGet("/v1/person", (HttpContext context) => context.Caller().Principal.DisplayName).ForPrincipals();
                app.MapGet("/v1/open", () => "open").WithoutCredential();
                app.MapPost("/v1/open", () => "open").WithoutCredential();
                app.MapPost("/v1/guess", () => "no").WithoutCredential().LimitAttempts();
                app.MapGet("/v1/things/{id}", (SessionId id, int? limit) => $"{id} {limit}");
                app.MapPost("/v1/echo", (Body body) => body.Count);
                app.MapPost("/v1/things", (Delegate)((HttpContext context) => self!.RunAsync(context)));
                app.MapPost("/v1/recognised", (Delegate)((HttpContext context) => self!.RunAsync(context))).RecognisesRepeats();
                app.MapPost("/v1/secrets-once", (Delegate)((HttpContext context) => self!.RunAsync(context))).AnswersSecretOnce();
                app.MapGet("/v1/key-lost", string () => throw new PortException(PortFailureKind.Rejected, "sealed under 0a1b") { Told = VaultProblems.KeyLost("models/openai") });
                app.MapGet("/v1/port-down", string () => throw new PortException(PortFailureKind.Unavailable, "the database at 10.0.0.1 refused"));
                app.MapGet("/v1/bug", string () => throw new InvalidOperationException("password=hunter2"));
            },
            builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(new ManualTime());
                builder.Services.AddSingleton<ITenantDirectory, InMemoryTenantDirectory>();
                builder.Services.AddSingleton<IAuthenticator, InMemoryAuthenticator>();
                builder.Services.AddKernel();
            });
        return self = new(server);
    }

    public HttpClient Anyone() => TestHttp.Client(server.Address);

    public async Task<HttpClient> ProgramAsync(Role role = Role.Member) => (await MemberAsync(role)).Http;

    public async Task<(OrganizationId Organization, HttpClient Http)> MemberAsync(Role role)
    {
        var user = Directory.AddUser("Ada");
        var organization = Directory.AddOrganization("Acme");
        Directory.SetRole(organization, user, role);
        var key = await Authenticator.IssueApiKeyAsync(new(organization, user, role, "key", null), default);
        var client = Anyone();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key.Secret);
        return (organization, client);
    }

    public async Task<HttpClient> BrowserAsync(params Role[] memberships)
    {
        var user = Directory.AddUser("Ada");
        foreach (var role in memberships) Directory.SetRole(Directory.AddOrganization("Acme"), user, role);
        var session = await Authenticator.IssueBrowserSessionAsync(user, TimeSpan.FromDays(1), default);
        var client = Anyone();
        client.DefaultRequestHeaders.Add("Cookie", $"coordinator_session={session.Secret}");
        return client;
    }

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    private async Task<IResult> RunAsync(HttpContext context)
    {
        Interlocked.Increment(ref Runs);
        return await Work(context);
    }

    private sealed record Body(int Count);
}
