using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Fakes;
using Coordinator.Modules.Kernel;
using Coordinator.Modules.Models;
using Coordinator.Modules.Models.Gateway;
using Coordinator.Modules.Models.Tokens;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Models;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Coordinator.Tests.Modules.Models;

/// <summary>The models module behind the real kernel and a real HTTP server, over fakes, with one session that wants one box.</summary>
internal sealed class ModelsServer : IAsyncDisposable
{
    public const string Key = "sk-canary-0123456789";

    private readonly LoopbackServer server;

    private ModelsServer(LoopbackServer server, CapturedLog log, ScriptedModelGateway gateway, WantedBox sessions) =>
        (this.server, Log, Gateway, Sessions) = (server, log, gateway, sessions);

    public CapturedLog Log { get; }

    public ScriptedModelGateway Gateway { get; }

    public WantedBox Sessions { get; }

    public ModelCalls Calls => server.Services.GetRequiredService<ModelCalls>();

    public GatewayTokens Tokens => server.Services.GetRequiredService<GatewayTokens>();

    public static async Task<ModelsServer> StartAsync(TimeProvider? time = null, params (string Key, string Value)[] calls)
    {
        var log = new CapturedLog();
        var gateway = new ScriptedModelGateway();
        var sessions = new WantedBox();
        var server = await LoopbackServer.StartAsync(
            app =>
            {
                app.UseKernel();
                app.MapEndpointModules();
            },
            builder =>
            {
                builder.WebHost.ConfigureKestrel(kestrel =>
                {
                    kestrel.Limits.MaxRequestBodySize = 1024 * 1024;
                    kestrel.Limits.MinRequestBodyDataRate = null; // a body that a test holds back is not to be given up
                });
                builder.Configuration.AddInMemoryCollection(calls.Select(setting => KeyValuePair.Create($"{ModelCallOptions.Section}:{setting.Key}", (string?)setting.Value)));
                var services = builder.Services;
                services.AddSingleton(time ?? TimeProvider.System);
                services.AddSingleton<ITenantDirectory, InMemoryTenantDirectory>();
                services.AddSingleton<IAuthenticator, InMemoryAuthenticator>();
                services.AddSingleton<ITokenSigner>(new Signer("master"));
                services.AddSingleton<IBoxTokenScheme, WantedBox.Scheme>();
                services.AddSingleton<ISessionHost>(sessions);
                services.AddSingleton<IModelGateway>(gateway);
                services.AddSingleton<IModelCatalog>(new InMemoryModelCatalog(InMemoryModelCatalog.Priced("acme/fast"), InMemoryModelCatalog.Priced("other/slow"), InMemoryModelCatalog.Priced("demo/scripted"), InMemoryModelCatalog.Priced("absent/model")));
                services.AddModelsModule(builder.Configuration);
                services.AddKernel(typeof(GatewayTokens).Assembly);
            },
            log);
        gateway.AddProvider("acme", ModelWire.OpenAiChat);
        gateway.AddProvider("other", ModelWire.OpenAiChat);
        gateway.AddProvider("demo", ModelWire.OpenAiChat, needsKey: false, isDemo: true);
        gateway.SetKey(sessions.Session.Organization, "acme", Key);
        return new(server, log, gateway, sessions);
    }

    /// <summary>A box with a gateway token that is valid now.</summary>
    public HttpClient Box() => WithToken(Tokens.Mint(Sessions.Session, Sessions.Credential).Token);

    public HttpClient WithToken(string? token)
    {
        var client = TestHttp.Client(server.Address);
        if (token is not null) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    /// <summary>One call of the box, heard to its end.</summary>
    public async Task<(HttpStatusCode Status, string Text)> CallAsync(string path, string body)
    {
        using var box = Box();
        using var response = await SendAsync(box, path, body);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Returns with the headers; the answer is still to be read.</summary>
    public static async Task<HttpResponseMessage> SendAsync(HttpClient client, string path, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>A person's API key in a new organization, which has a key for acme.</summary>
    public async Task<HttpClient> MemberAsync()
    {
        var directory = (InMemoryTenantDirectory)server.Services.GetRequiredService<ITenantDirectory>();
        var authenticator = (InMemoryAuthenticator)server.Services.GetRequiredService<IAuthenticator>();
        var user = directory.AddUser("Ada");
        var organization = directory.AddOrganization("Acme");
        directory.SetRole(organization, user, Role.Member);
        Gateway.SetKey(organization, "acme", Key);
        return WithToken((await authenticator.IssueApiKeyAsync(new(organization, user, Role.Member, "key", null), default)).Secret);
    }

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    /// <summary>A signer under a key of its own.</summary>
    internal sealed class Signer(string master) : ITokenSigner
    {
        public byte[] Sign(string purpose, ReadOnlySpan<byte> data) => HMACSHA256.HashData(Encoding.UTF8.GetBytes($"{master}/{purpose}"), data);
    }
}

/// <summary>One session that wants one box, and remembers the usage that was recorded.</summary>
internal sealed class WantedBox : ISessionHost
{
    private readonly ConcurrentQueue<ModelUsage> recorded = new();
    private readonly ConcurrentDictionary<ModelCallId, byte> calls = new();

    public WantedBox()
    {
        var token = new Scheme().TokenFor(Session, Sandbox, 1);
        Credential = new(Sandbox, 1, SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        Token = token;
    }

    public SessionKey Session { get; } = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));

    public SandboxId Sandbox { get; } = SandboxId.New(TimeProvider.System);

    public BoxCredential Credential { get; }

    public string Token { get; }

    public bool IsWanted { get; set; } = true;

    public IReadOnlyList<ModelUsage> Recorded => [.. recorded];

    /// <summary>Why the session cannot be asked now; null: it can.</summary>
    public PortException? Away { get; set; }

    /// <summary>Runs before usage is recorded; may throw or wait.</summary>
    public Func<Task> BeforeRecord { get; set; } = () => Task.CompletedTask;

    /// <summary>Runs after usage is recorded; may throw.</summary>
    public Action AfterRecord { get; set; } = () => { };

    public async ValueTask<Result<SessionReply>> CallAsync(SessionKey key, SessionCommand command, CancellationToken cancellationToken)
    {
        if (Away is { } away) throw away;
        if (key != Session) return new Problem("session_not_found", "No such session.", ProblemKind.NotFound);
        var credential = command switch
        {
            SessionCommand.AuthorizeBox authorize => authorize.Credential,
            SessionCommand.RecordUsage usage => usage.Credential,
            _ => throw new InvalidOperationException($"A gateway does not send {command.GetType().Name}."),
        };
        if (!credential.TokenHash.Span.SequenceEqual(Credential.TokenHash.Span) || credential.Sandbox != Sandbox) return new Problem("box_credential_invalid", "Not the token.", ProblemKind.Unauthenticated);
        if (!IsWanted || credential.Generation != Credential.Generation) return new Problem("box_not_wanted", "An older generation.", ProblemKind.Gone);
        if (command is not SessionCommand.RecordUsage record) return new SessionReply.BoxAuthorized(new("acme/fast", "opencode", null, PermissionMode.Auto), null);
        await BeforeRecord();
        if (calls.TryAdd(record.Call!.Value, 0)) recorded.Enqueue(record.Usage);
        AfterRecord();
        return new SessionReply.Done();
    }

    public ValueTask<Result<ISessionSubscription>> SubscribeAsync(SessionKey key, SessionCursor? after, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<Result<IBridgeLink>> AttachBridgeAsync(SessionKey key, BoxCredential credential, BridgeHello hello, IBridgeSink sink, CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>Null: the host is stopping.</summary>
    public HeldCalls? Holds { get; set; } = new();

    public ISessionHold? TryHold(SessionKey key) => Holds?.Take();

    public ValueTask DrainAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>The calls that a host would wait for.</summary>
    internal sealed class HeldCalls
    {
        private readonly CancellationTokenSource givenUp = new();
        private int count;

        public int Count => Volatile.Read(ref count);

        public Task GiveUpAsync() => givenUp.CancelAsync();

        public ISessionHold Take()
        {
            Interlocked.Increment(ref count);
            return new Hold(this);
        }

        private sealed class Hold(HeldCalls held) : ISessionHold
        {
            public CancellationToken GivenUp => held.givenUp.Token;

            public void Dispose() => Interlocked.Decrement(ref held.count);
        }
    }

    /// <summary>Tokens whose secret is a hash of what they say.</summary>
    internal sealed class Scheme : IBoxTokenScheme
    {
        public string TokenFor(SessionKey key, SandboxId sandbox, int generation) =>
            $"sb_{key.Organization}.{key.Session}.{sandbox}.{generation}.{System.Buffers.Text.Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($"{key}/{sandbox}/{generation}")))}";

        public byte[] HashFor(SessionKey key, SandboxId sandbox, int generation) => SHA256.HashData(Encoding.UTF8.GetBytes(TokenFor(key, sandbox, generation)));
    }
}
