using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Coordinator.Adapters.LocalSandbox;
using Coordinator.Client;
using Coordinator.Fakes;
using Coordinator.Host;
using Coordinator.Host.Starting;
using Coordinator.Modules.Tenancy;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>The whole host in this process, on a database of the test's, and what its callers are told.</summary>
internal sealed class HostOnDatabase : IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(90);

    private readonly DirectoryInfo folder;
    private readonly WebApplication app;
    private HttpClient? http;
    private CoordinatorClient? client;

    private HostOnDatabase(DirectoryInfo folder, WebApplication app) => (this.folder, this.app) = (folder, app);

    public IServiceProvider Services => app.Services;

    /// <summary>Where it keeps its artifacts.</summary>
    public string Artifacts => Path.Combine(folder.FullName, "artifacts");

    private HttpClient Http => http ?? throw new InvalidOperationException("The host was not started.");

    /// <summary>A host that listens; whether it serves is the database's matter.</summary>
    public static async Task<HostOnDatabase> StartAsync(string connectionString, params string[] more)
    {
        var folder = Directory.CreateTempSubdirectory("coordinator-bad-day-");
        var host = new HostOnDatabase(folder, CoordinatorHost.Build(Arguments(folder.FullName, connectionString, more), WithoutBoxes));
        await host.app.StartAsync();
        host.http = TestHttp.Client(new Uri(host.app.Urls.First(url => url.StartsWith("http://127", StringComparison.Ordinal))));
        return host;
    }

    /// <summary>Runs a host as its process does; the exit code it ends with.</summary>
    public static Task<int> RunAsync(string connectionString, params string[] more) => RunAsync(connectionString, static () => Task.CompletedTask, more);

    /// <param name="connectionString">Its database.</param>
    /// <param name="built">What happens when its settings have been found right, and before it starts.</param>
    /// <param name="more">Its other settings.</param>
    public static async Task<int> RunAsync(string connectionString, Func<Task> built, params string[] more)
    {
        var folder = Directory.CreateTempSubdirectory("coordinator-bad-day-");
        try
        {
            await using var app = CoordinatorHost.Build(Arguments(folder.FullName, connectionString, more), WithoutBoxes);
            var startup = app.Services.GetRequiredService<HostStartup>();
            await built();
            await app.RunAsync().WaitAsync(Bound);
            return startup.ExitCode;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Signs in as the owner; what is asked from then on is asked with their key.</summary>
    public async Task SignInAsync()
    {
        NewApiKey? key = null;
        await Eventually.HoldsAsync(async () =>
        {
            try
            {
                var invitation = await Services.GetRequiredService<OwnerSignIn>().InviteAsync(default); // a link is good once, so each try has its own
                using var client = new CoordinatorClient(Http.BaseAddress!);
                key = await client.SignInAsync(invitation.Link.Secret, "Bad days", default);
                return true;
            }
            catch (Exception slow) when (slow is PortException or CoordinatorException { Status: 503 })
            {
                return false; // a machine that is starved lets the short patience of these tests run out
            }
        }, "that the owner is signed in");
        Http.DefaultRequestHeaders.Authorization = new("Bearer", key!.Key);
    }

    public async Task<Answer> GetAsync(string path) => await AnswerAsync(await Http.GetAsync(path));

    public Task<Answer> CreateSessionAsync(string idempotencyKey) => PostAsync("/v1/sessions", new { model = "demo/scripted" }, idempotencyKey);

    public Task<Answer> PromptAsync(string session, string text, string idempotencyKey) => PostAsync($"/v1/sessions/{session}/messages", new { text }, idempotencyKey);

    /// <summary>The types of a session's events, from the first one on.</summary>
    public async Task<IReadOnlyList<string>> EventsAsync(string session) =>
        [.. JsonDocument.Parse((await UntilAsync(HttpStatusCode.OK, () => GetAsync($"/v1/sessions/{session}/events?limit=1000"))).Body).RootElement.GetProperty("items").EnumerateArray().Select(e => e.GetProperty("type").GetString()!)];

    /// <summary>The id of the session that is made.</summary>
    public static async Task<string> SessionAsync(Func<Task<Answer>> create) =>
        JsonDocument.Parse((await UntilAsync(HttpStatusCode.Created, create)).Body).RootElement.GetProperty("id").GetString()!;

    /// <summary>A session's events from the first one on, as a page behind a proxy reads them, over however many connections it takes.</summary>
    public SessionFollower Follow(string session) => new(Client, session);

    private CoordinatorClient Client => client ??= new(Http.BaseAddress!, Http.DefaultRequestHeaders.Authorization!.Parameter!);

    private async Task<Answer> PostAsync(string path, object body, string idempotencyKey)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", idempotencyKey);
        return await AnswerAsync(await Http.SendAsync(request));
    }

    /// <summary>Waits for an answer, however long the database takes to be well; what comes meanwhile must be told as a failure that passes.</summary>
    public static async Task<Answer> UntilAsync(HttpStatusCode wanted, Func<Task<Answer>> ask)
    {
        Answer told = default;
        await Eventually.HoldsAsync(async () =>
        {
            told = await ask();
            return told.Status == wanted || (told.IsPassing ? false : throw new InvalidOperationException($"Not {wanted}, but {told}"));
        }, $"An answer with {wanted}", () => told.ToString());
        return told;
    }

    public async ValueTask DisposeAsync()
    {
        client?.Dispose();
        http?.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
        folder.Delete(recursive: true);
    }

    /// <summary>No session here comes so far as to have a box, and a machine need not be able to make one.</summary>
    private static void WithoutBoxes(IServiceCollection services)
    {
        foreach (var local in services.Where(service => service.ServiceType == typeof(IHostDependency) && Assembly(service) == typeof(HostSocket).Assembly).ToList()) services.Remove(local);
        services.RemoveAll<ISandboxProvider>().AddSingleton<ISandboxProvider>(new InMemorySandboxProvider(TimeProvider.System));
    }

    private static System.Reflection.Assembly? Assembly(ServiceDescriptor service) => (service.ImplementationType ?? service.ImplementationFactory?.Method.DeclaringType)?.Assembly;

    private static string[] Arguments(string folder, string connectionString, string[] more) =>
    [
        $"--DataDirectory={folder}",
        $"--Sandbox:Local:SocketDirectory={folder}/run",
        "--Sandbox:Local:BoxProgram=/bin/true",
        $"--Database:ConnectionString={connectionString}",
        "--Database:Journal:OutagePatience=00:00:00.5",
        "--Sessions:Host:JournalPatience=00:00:01",
        "--Urls=http://127.0.0.1:0",
        "--Demo:Enabled=true",
        "--Logging:LogLevel:Default=Critical",
        .. more,
    ];

    private static async Task<Answer> AnswerAsync(HttpResponseMessage response)
    {
        using (response)
        {
            var body = await response.Content.ReadAsStringAsync();
            var code = response.Content.Headers.ContentType?.MediaType == "application/problem+json" ? JsonDocument.Parse(body).RootElement.GetProperty("code").GetString() : null;
            return new(response.StatusCode, code, response.Headers.RetryAfter?.Delta, body);
        }
    }
}

/// <summary>What a caller was told.</summary>
internal readonly record struct Answer(HttpStatusCode Status, string? Code, TimeSpan? RetryAfter, string Body)
{
    /// <summary>A failure that says that it passes, and when to ask again.</summary>
    public bool IsPassing => Status == HttpStatusCode.ServiceUnavailable && (RetryAfter > TimeSpan.Zero || Code is null);
}
