using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Coordinator.Cli.Commands;
using Coordinator.Cli.Journey;
using Coordinator.Client;
using Coordinator.Tests.Support.Hosting;
using Coordinator.Tests.Support.Http;
using Xunit;

namespace Coordinator.Tests.Journey;

/// <summary>One host for all the tests here, signed in to as its owner. In the end every session is archived and nothing of it may be left.</summary>
public sealed class JourneyHost : IAsyncLifetime, IHostControl
{
    public const string Collection = "journey";

    private HostProcess? process;
    private JourneyRun? shared;

    public HostProcess Process => process!;

    public CoordinatorClient Client { get; private set; } = null!;

    /// <summary>Speaks as the owner, for what the typed client would not send.</summary>
    public HttpClient Http { get; private set; } = null!;

    public string ApiKey { get; private set; } = string.Empty;

    public Repository Sample => new(JourneyCommand.SampleRepository(Process.Url));

    public async Task InitializeAsync()
    {
        process = await HostProcess.LaunchAsync();
        Http = TestHttp.Client(process.Url);
        ApiKey = await MakeOwnerKeyAsync();
        Client = new(process.Url, ApiKey);
        Http.DefaultRequestHeaders.Authorization = new("Bearer", ApiKey);
    }

    public async Task DisposeAsync()
    {
        if (process is null) return;
        try
        {
            if (shared is not null) await shared.DisposeAsync();
            if (Client is not null) await ArchiveAllAsync();
        }
        finally
        {
            Client?.Dispose();
            Http?.Dispose();
            await process.DisposeAsync();
        }
    }

    /// <summary>A new session with its log; archive it with <see cref="CoordinatorClient.ArchiveAsync"/> or leave it to the end.</summary>
    internal async Task<JourneyRun> StartSessionAsync(Repository? repository = null)
    {
        var run = new JourneyRun(Client, new("demo/scripted", repository, this, SameMachine: true));
        await run.StartSessionAsync(CancellationToken.None);
        return run;
    }

    /// <summary>One session whose box is shared by the tests that leave it as it was.</summary>
    internal async Task<JourneyRun> SharedSessionAsync() => shared ??= await StartSessionAsync();

    /// <summary>Posts JSON and returns the status with the answer or the problem.</summary>
    internal async Task<(int Status, JsonElement Body)> PostAsync(string path, object body)
    {
        using var answer = await Http.PostAsJsonAsync(path, body);
        return ((int)answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>());
    }

    /// <summary>A key with the owner's whole role, which may change secrets; one that the command line makes may not.</summary>
    private async Task<string> MakeOwnerKeyAsync()
    {
        using var signIn = await Http.PostAsJsonAsync("/v1/sign-in", new { link = Process.SignInSecret });
        signIn.EnsureSuccessStatusCode();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/api-keys") { Content = JsonContent.Create(new { name = "Journey", role = "owner" }) };
        request.Headers.Add("Cookie", signIn.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        request.Headers.Add("Origin", Process.Url.GetLeftPart(UriPartial.Authority));
        using var made = await Http.SendAsync(request);
        made.EnsureSuccessStatusCode();
        return (await made.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("key").GetString()!;
    }

    Task IHostControl.KillAsync(CancellationToken cancellationToken) => Process.KillAsync();

    Task IHostControl.StartAsync(CancellationToken cancellationToken) => Process.StartAsync();

    private async Task ArchiveAllAsync()
    {
        var sessions = (await Client.ListSessionsAsync(null, 200, CancellationToken.None)).Items;
        foreach (var session in sessions.Where(session => session.Status != "archived")) await Client.ArchiveAsync(session.Id, CancellationToken.None);
        var began = Stopwatch.GetTimestamp();
        foreach (var session in sessions)
            while (LiveProcess.Naming(session.Id) is { Count: > 0 } && Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(30)) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
    }
}

[CollectionDefinition(JourneyHost.Collection)]
public sealed class JourneyHostCollection : ICollectionFixture<JourneyHost>;
