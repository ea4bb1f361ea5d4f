using System.Globalization;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using Coordinator.Adapters.Archive;
using Coordinator.Adapters.InProcess;
using Coordinator.Fakes;
using Coordinator.Modules.Kernel;
using Coordinator.Modules.Kernel.Contracts;
using Coordinator.Modules.SessionAccess;
using Coordinator.Modules.Sessions;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;
using Coordinator.Tests.Modules.Tenancy;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Coordinator.Tests.Modules.SessionAccess;

/// <summary>The session access module with the real core and the in-process host, over fakes, behind a real HTTP server.</summary>
internal sealed class SessionServer : IAsyncDisposable
{
    private readonly LoopbackServer server;

    private SessionServer(LoopbackServer server) => this.server = server;

    public ManualTime Time => Service<ManualTime>();

    public InMemoryTenantDirectory Directory => (InMemoryTenantDirectory)Service<ITenantDirectory>();

    public InMemoryAuthenticator Authenticator => (InMemoryAuthenticator)Service<IAuthenticator>();

    public InMemorySessionJournal Journal => Service<InMemorySessionJournal>();

    /// <summary>The journal as everybody but the sweeps' tests has it: with what was archived.</summary>
    public ISessionJournal Events => Service<ISessionJournal>();

    public InMemoryArtifactStore Artifacts => (InMemoryArtifactStore)Service<IArtifactStore>();

    public ModelAddresses Models => (ModelAddresses)Service<IModelAddressBook>();

    public ISessionHost Sessions => Service<ISessionHost>();

    /// <summary>When those who follow come back from a drain.</summary>
    public ReturnSchedule Returns => Service<ReturnSchedule>();

    public CapturedLog Log { get; private init; } = null!;

    /// <summary><paramref name="first"/> stands before everything but the opening of sockets, <paramref name="before"/> before the session host.</summary>
    public static async Task<SessionServer> StartAsync(Action<IApplicationBuilder>? first = null, Func<ISessionHost, ISessionHost>? before = null, int? followerBytes = null)
    {
        var log = new CapturedLog();
        var server = await LoopbackServer.StartAsync(
            app =>
            {
                app.UseWebSockets();
                first?.Invoke(app);
                app.UseKernel();
                app.MapEndpointModules();
            },
            builder =>
            {
                var services = builder.Services;
                var time = new ManualTime();
                services.AddSingleton(time).AddSingleton<TimeProvider>(time);
                services.AddSingleton<ITenantDirectory, InMemoryTenantDirectory>();
                services.AddSingleton<IAuthenticator, InMemoryAuthenticator>();
                services.AddSingleton(new InMemorySessionJournal(time));
                services.AddSingleton<ISessionJournal>(made => made.GetRequiredService<InMemorySessionJournal>()).AddArchivedEvents();
                services.AddSingleton<IAlarmClock, NoAlarms>();
                services.AddSingleton<IRunHistory, InMemoryRunHistory>();
                if (followerBytes is { } most) builder.Configuration["Sessions:Host:FollowerBytes"] = most.ToString(CultureInfo.InvariantCulture);
                builder.Configuration["Sessions:CompactAfter"] = "00:00:00"; // tests sweep when they want to
                services.AddSingleton<IArtifactStore, InMemoryArtifactStore>();
                services.AddSingleton<IBoxTokenScheme, BoxTokens>();
                services.AddSingleton<ISessionEffectRunner, BoxesThatNeverDial>();
                services.AddSingleton<IModelAddressBook, ModelAddresses>();
                services.AddTransient<IRequestHandler<ValidateModel, Result<AgentModel>>, ModelAddresses>();
                services.AddSessionsModule().AddInProcessSessionHost(builder.Configuration).AddSessionAccessModule(builder.Configuration);
                services.AddKernel(typeof(SessionAccessOptions).Assembly);
                if (before is null) return;
                var host = services.Last(service => service.ServiceType == typeof(ISessionHost)).ImplementationFactory!;
                services.AddSingleton(made => before((ISessionHost)host(made)));
            },
            log);
        return new(server) { Log = log };
    }

    /// <summary>A program with an API key of an organization of its own, or of the given one.</summary>
    public async Task<Caller> CallerAsync(Role role = Role.Member, OrganizationId? organization = null)
    {
        var user = Directory.AddUser("Ada");
        var where = organization ?? Directory.AddOrganization("Acme");
        Directory.SetRole(where, user, role);
        var key = await Authenticator.IssueApiKeyAsync(new(where, user, role, "key", null), default);
        var http = TestHttp.Client(server.Address);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key.Secret);
        return new(where, user, key.Stored.Id, key.Secret, http);
    }

    /// <summary>A session of a caller's, by its first 201.</summary>
    public static async Task<SessionId> CreateAsync(Caller caller, string? prompt = null)
    {
        var view = await caller.Http.PostAsync("/v1/sessions", new { model = "demo/scripted", prompt }).JsonAsync(201);
        return view.GetProperty("id").Deserialize();
    }

    public Task<SocketClient> ConnectAsync(string path, string subprotocol, string secret, string? origin = null) =>
        ConnectAsync(new SocketsHttpHandler { UseProxy = false }, path, subprotocol, secret, origin);

    /// <summary>A socket over a connection of the test's making.</summary>
    public async Task<SocketClient> ConnectAsync(SocketsHttpHandler connections, string path, string subprotocol, string secret, string? origin = null)
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(subprotocol);
        socket.Options.SetRequestHeader("Authorization", $"Bearer {secret}");
        socket.Options.CollectHttpResponseDetails = true;
        if (origin is not null) socket.Options.SetRequestHeader("Origin", origin);
        using var invoker = new HttpMessageInvoker(connections);
        await socket.ConnectAsync(new Uri(new UriBuilder(server.Address) { Scheme = "ws" }.Uri, path), invoker, default).WaitAsync(SocketClient.Bound);
        return new(socket);
    }

    public Task<SocketClient> FollowAsync(Caller caller, SessionId session) => ConnectAsync($"/v1/sessions/{session}/ws", "coordinator.v1", caller.Secret);

    public Uri Address => server.Address;

    /// <summary>Drains first, as a host does, so that the server does not wait for sockets that a test left open.</summary>
    public async ValueTask DisposeAsync()
    {
        await Sessions.DrainAsync(default);
        await server.DisposeAsync();
    }

    private T Service<T>()
        where T : notnull => server.Services.GetRequiredService<T>();

    internal sealed record Caller(OrganizationId Organization, UserId User, Guid Key, string Secret, HttpClient Http);

    /// <summary>Tokens whose secret is their subject: a test can make them.</summary>
    internal sealed class BoxTokens : IBoxTokenScheme
    {
        public string TokenFor(SessionKey key, SandboxId sandbox, int generation) =>
            $"{BoxToken.Prefix}{key.Organization}.{key.Session}.{sandbox}.{generation}.{Convert.ToHexStringLower(Hash($"{key}{sandbox}{generation}"))[..43]}";

        public byte[] HashFor(SessionKey key, SandboxId sandbox, int generation) => Hash(TokenFor(key, sandbox, generation));

        private static byte[] Hash(string text) => System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text));
    }

    private sealed class NoAlarms : IAlarmClock
    {
        public ValueTask<IReadOnlyList<SessionKey>> ClaimDueAsync(HostId host, int limit, LookAhead ahead, TimeSpan hideFor, CancellationToken cancellationToken) => new([]);

        public ValueTask UnhideAsync(CancellationToken cancellationToken) => default;
    }

    private sealed class BoxesThatNeverDial : ISessionEffectRunner
    {
        public bool CanRun(SessionEffect effect) => true;

        public ValueTask<EffectOutcome> RunAsync(SessionKey key, SessionEffect effect, CancellationToken cancellationToken) => new(effect switch
        {
            SessionEffect.CreateSandbox create => new EffectOutcome.SandboxCreated(new("test", create.Sandbox.ToString(), null)),
            SessionEffect.InspectSandbox => new EffectOutcome.SandboxInspected(SandboxStatus.Running, null),
            _ => new EffectOutcome.Succeeded(),
        });
    }

    internal sealed class ModelAddresses : IModelAddressBook, IRequestHandler<ValidateModel, Result<AgentModel>>
    {
        private int lookups;

        /// <summary>How often somebody has asked where a model is, to send a box there.</summary>
        public int Lookups => Volatile.Read(ref lookups);

        public int ContextTokens { get; set; } = 1_000;

        /// <summary>What the next look fails with.</summary>
        public PortException? Failure { get; set; }

        public ValueTask<Result<AgentModel>> FindAsync(OrganizationId organization, string model, CancellationToken cancellationToken)
        {
            var failure = Failure;
            Failure = null;
            Interlocked.Increment(ref lookups);
            return failure is null ? new(Find(model)) : throw failure;
        }

        public Task<Result<AgentModel>> Handle(ValidateModel request, CancellationToken cancellationToken) => Task.FromResult(Find(request.Model));

        private Result<AgentModel> Find(string? model) => model == "demo/scripted"
            ? new AgentModel("demo", "scripted", ModelWire.OpenAiChat, ContextTokens, 100)
            : new Problem("model_provider_unknown", "There is no such provider.");
    }
}

internal static class SessionJson
{
    public static SessionId Deserialize(this System.Text.Json.JsonElement id) =>
        SessionId.TryParse(id.GetString(), out var session) ? session : throw new FormatException(id.GetRawText());
}
