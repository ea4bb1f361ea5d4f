using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Coordinator.Fakes;
using Coordinator.Modules.Kernel;
using Coordinator.Modules.Runs;
using Coordinator.Modules.Tenancy;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Record;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Coordinator.Tests.Modules.Tenancy;

/// <summary>The tenancy and runs modules behind the real kernel and a real HTTP server, over fakes.</summary>
internal sealed class TenancyServer : IAsyncDisposable
{
    /// <summary>A request with this header counts as one that came over TLS.</summary>
    public const string TlsHeader = "X-Test-Tls";

    private readonly LoopbackServer server;
    private readonly LogLines log;

    private TenancyServer(LoopbackServer server, LogLines log) => (this.server, this.log) = (server, log);

    public ManualTime Time => (ManualTime)server.Services.GetRequiredService<TimeProvider>();

    public InMemoryTenantDirectory Directory => (InMemoryTenantDirectory)server.Services.GetRequiredService<ITenantDirectory>();

    public InMemoryAuthenticator Authenticator => (InMemoryAuthenticator)server.Services.GetRequiredService<IAuthenticator>();

    public ITenantVault Vault => server.Services.GetRequiredService<ITenantVault>();

    public InMemoryRunHistory Runs => (InMemoryRunHistory)server.Services.GetRequiredService<IRunHistory>();

    public OwnerSignIn OwnerSignIn => server.Services.GetRequiredService<OwnerSignIn>();

    /// <summary>Everything that was logged.</summary>
    public string Log => string.Join('\n', log.Lines);

    public static async Task<TenancyServer> StartAsync()
    {
        var log = new LogLines();
        var server = await LoopbackServer.StartAsync(
            app =>
            {
                app.Use((context, next) =>
                {
                    if (context.Request.Headers.ContainsKey(TlsHeader)) context.Request.Scheme = "https";
                    return next(context);
                });
                app.UseKernel();
                app.MapEndpointModules();
            },
            builder =>
            {
                var services = builder.Services;
                services.AddSingleton<TimeProvider>(new ManualTime());
                services.AddSingleton<ITenantDirectory, InMemoryTenantDirectory>();
                services.AddSingleton<IAuthenticator, InMemoryAuthenticator>();
                services.AddSingleton<ITenantVault, InMemoryTenantVault>();
                services.AddSingleton<IRunHistory, InMemoryRunHistory>();
                services.AddTenancyModule(builder.Configuration).AddRunsModule();
                services.AddKernel(typeof(OwnerSignIn).Assembly, typeof(RunView).Assembly);
            },
            log);
        return new(server, log);
    }

    /// <summary>A caller without a credential.</summary>
    public HttpClient Anyone() => TestHttp.Client(server.Address);

    /// <summary>A browser of this host's pages, with the cookie that signing in gave it.</summary>
    public async Task<HttpClient> BrowserAsync(UserId user, TimeSpan? lifetime = null)
    {
        var session = await Authenticator.IssueBrowserSessionAsync(user, lifetime ?? TimeSpan.FromDays(1), default);
        var client = Anyone();
        client.DefaultRequestHeaders.Add("Cookie", $"coordinator_session={session.Secret}");
        client.DefaultRequestHeaders.Add("Origin", server.Address.GetLeftPart(UriPartial.Authority));
        return client;
    }

    /// <summary>A program with an API key of that role, in an organization of its own or the given one.</summary>
    public async Task<Member> MemberAsync(Role role, OrganizationId? organization = null)
    {
        var user = Directory.AddUser($"{role}");
        var where = organization ?? Directory.AddOrganization("Acme");
        Directory.SetRole(where, user, role);
        var key = await Authenticator.IssueApiKeyAsync(new(where, user, role, $"{role} key", null), default);
        return new(where, user, new(key.Stored.Id), WithKey(key.Secret));
    }

    public HttpClient WithKey(string secret)
    {
        var client = Anyone();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        return client;
    }

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    /// <summary>Somebody in an organization, calling with an API key.</summary>
    internal sealed record Member(OrganizationId Organization, UserId User, ApiKeyId Key, HttpClient Http);

    private sealed class LogLines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}

/// <summary>Reads answers.</summary>
internal static class Answers
{
    public static async Task<JsonElement> JsonAsync(this Task<HttpResponseMessage> call, int expectedStatus)
    {
        using var response = await call;
        var text = await response.Content.ReadAsStringAsync();
        Xunit.Assert.True((int)response.StatusCode == expectedStatus, $"Expected {expectedStatus}, got {(int)response.StatusCode}: {text}");
        return text.Length == 0 ? default : JsonDocument.Parse(text).RootElement;
    }

    public static async Task RefusedAsync(this Task<HttpResponseMessage> call, int expectedStatus, string code) =>
        Xunit.Assert.Equal(code, (await call.JsonAsync(expectedStatus)).GetProperty("code").GetString());

    public static Task<HttpResponseMessage> PutAsync(this HttpClient client, string path, object body) => client.PutAsync(path, JsonContent.Create(body));

    public static Task<HttpResponseMessage> PostAsync(this HttpClient client, string path, object body) => client.PostAsync(path, JsonContent.Create(body));
}
