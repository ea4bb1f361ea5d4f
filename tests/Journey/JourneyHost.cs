using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Coordinator.Cli.Commands;
using Coordinator.Cli.Journey;
using Coordinator.Client;
using Coordinator.Tests.Support.Hosting;
using Coordinator.Tests.Support.Http;
using Xunit;
using Xunit.Abstractions;

namespace Coordinator.Tests.Journey;

/// <summary>One host for all the tests here, signed in to as its owner. In the end every session is archived and nothing of it may be left.</summary>
public class JourneyHost : IAsyncLifetime, IHostControl
{
    public const string Collection = "journey on one shared host";

    private HostProcess? process;
    private JourneyRun? shared;
    private string cookie = string.Empty;
    private string? strangerKey;

    public HostProcess Process => process!;

    public CoordinatorClient Client { get; private set; } = null!;

    /// <summary>Speaks as the owner, for what the typed client would not send.</summary>
    public HttpClient Http { get; private set; } = null!;

    public string ApiKey { get; private set; } = string.Empty;

    public Repository Sample => new(JourneyCommand.SampleRepository(Process.Url));

    /// <summary>What this host has set beyond what every host of the tests has.</summary>
    protected virtual Task<IReadOnlyDictionary<string, string>> SettingsAsync() => Task.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string>());

    /// <summary>How large a disk its database has for itself; null: the machine's.</summary>
    protected virtual long? DatabaseDisk => null;

    /// <summary>True: it is told its own address and is one of a cluster.</summary>
    protected virtual bool HasPeers => false;

    public virtual async Task InitializeAsync()
    {
        process = await HostProcess.LaunchAsync(await SettingsAsync(), HasPeers, DatabaseDisk);
        Http = TestHttp.Client(process.Url);
        cookie = await SignInAsync();
        ApiKey = await MakeOwnerKeyAsync(null);
        Client = new(process.Url, ApiKey);
        Http.DefaultRequestHeaders.Authorization = new("Bearer", ApiKey);
    }

    public virtual async Task DisposeAsync()
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

    /// <summary>
    /// Plays the ten checks, which must all hold. The command line wants a tool to stop within a second, on a machine at rest;
    /// a machine that tests is none.
    /// </summary>
    internal async Task PlayJourneyAsync(ITestOutputHelper output)
    {
        var options = new JourneyOptions("demo/scripted", Sample, this, SameMachine: true) { LongestStop = TimeSpan.FromSeconds(20) };
        var results = await JourneyPlayer.PlayAsync(Client, options, Report, CancellationToken.None);

        var problems = results.Where(result => result.Problem is not null).Select(result => $"{result.Number} {result.Sentence}: {result.Problem}").ToList();
        Assert.True(problems.Count == 0, $"{problems.Count} of {results.Count} checks do not hold:\n{string.Join('\n', problems)}");
        Assert.Equal(Enumerable.Range(1, 10), results.Select(result => result.Number));

        void Report(JourneyResult result) => output.WriteLine($"{result.Number,2} {result.Sentence}: {result.Time.TotalMilliseconds:0} ms {result.Problem}");
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

    /// <summary>The owner's key of another organization on the same host, made at the first call.</summary>
    internal async Task<string> StrangerKeyAsync()
    {
        if (strangerKey is not null) return strangerKey;
        var me = await Http.GetFromJsonAsync<JsonElement>("/v1/me");
        var own = me.GetProperty("organization").GetProperty("id").GetString()!;
        var other = await AsBrowserAsync("/v1/organizations", new { name = "Strangers" }, own);
        return strangerKey = await MakeOwnerKeyAsync(other.GetProperty("id").GetString()!);
    }

    /// <summary>A key with the owner's whole role, which may change secrets; one that the command line makes may not.</summary>
    private async Task<string> MakeOwnerKeyAsync(string? organization) =>
        (await AsBrowserAsync("/v1/api-keys", new { name = "Journey", role = "owner" }, organization)).GetProperty("key").GetString()!;

    private async Task<string> SignInAsync()
    {
        using var signIn = await Http.PostAsJsonAsync("/v1/sign-in", new { link = Process.SignInSecret });
        signIn.EnsureSuccessStatusCode();
        return signIn.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
    }

    /// <summary>Posts as the owner's browser does, for what no key may do.</summary>
    private async Task<JsonElement> AsBrowserAsync(string path, object body, string? organization)
    {
        using var browser = TestHttp.Client(Process.Url);
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        request.Headers.Add("Cookie", cookie);
        request.Headers.Add("Origin", Process.Url.GetLeftPart(UriPartial.Authority));
        if (organization is not null) request.Headers.Add("Coordinator-Organization", organization);
        using var made = await browser.SendAsync(request);
        made.EnsureSuccessStatusCode();
        return await made.Content.ReadFromJsonAsync<JsonElement>();
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
