using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Coordinator.Cli.Journey;
using Coordinator.Client;
using Coordinator.Tests.Support;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Journey;

/// <summary>The disk of the host's own database is really full, first for the data and then for its log, while a session runs.</summary>
public sealed class FullDatabaseDiskTests(FullDatabaseHost host) : IClassFixture<FullDatabaseHost>
{
    private const int Last = 40; // slowly: five a second, so that the turn outlives the disk's room
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task A_database_with_no_room_left_refuses_then_ends_and_once_there_is_room_all_goes_on_with_nothing_lost_or_doubled()
    {
        await using var run = await host.StartSessionAsync();
        await using var idle = await host.StartSessionAsync();
        var busy = await run.PromptAsync($"count slowly to {Last}", default);
        await run.WaitAsync("the turn's first words", e => e.MessageId == busy && e.Type == "agent.text", Turn, default);

        host.Process.DatabaseDisk.Fill();
        var (key, prompt) = ("full", $"count to 4 {Convert.ToBase64String(RandomNumberGenerator.GetBytes(30_000))}");
        var refused = await SendAsync(idle, prompt, key);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "dependency_unavailable", true), refused);
        Assert.Equal(HttpStatusCode.OK, (await host.Http.GetAsync(new Uri($"/v1/sessions/{idle.Session.Id}/events", UriKind.Relative))).StatusCode); // reading goes on

        await UseUpTheLogAsync();
        await Eventually.HoldsAsync(async () => await ReadyAsync() == HttpStatusCode.ServiceUnavailable, "that the database is said to be away");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "dependency_unavailable", true), await SendAsync(idle, prompt, key));
        await Eventually.HoldsAsync(() => host.Process.Output.Contains("could not be started again", StringComparison.Ordinal), "that it is tried again in vain");

        host.Process.DatabaseDisk.MakeRoom();

        await Eventually.HoldsAsync(async () => await ReadyAsync() == HttpStatusCode.OK, "that the host is ready by itself");
        for (var again = 0; again < 2; again++) await Eventually.HoldsAsync(async () => (await SendAsync(idle, prompt, key)).Status == HttpStatusCode.Accepted, "that the refused prompt is taken");
        await run.EndAsync(busy, "message.completed", Turn, default);
        await idle.WaitAsync("the end of the prompt that was refused", JourneyRun.IsEnd, Turn, default);

        Assert.Equal(Enumerable.Range(1, Last), run.TextOf(busy).Split([' ', '\n', '.'], StringSplitOptions.RemoveEmptyEntries).Select(int.Parse));
        await AssertWholeAsync(run, prompts: 1);
        await AssertWholeAsync(idle, prompts: 1);
    }

    /// <summary>Writes to the log alone until there is no room for more of it either: the server ends of it.</summary>
    private async Task UseUpTheLogAsync()
    {
        await using var administrator = NpgsqlDataSource.Create(host.Process.AdministratorConnectionString);
        var ended = await Assert.ThrowsAnyAsync<NpgsqlException>(async () =>
        {
            await using var connection = await administrator.OpenConnectionAsync();
            await using var write = new NpgsqlCommand("SELECT pg_logical_emit_message(false, 'room', repeat('x', 1000000))", connection);
            for (var megabytes = 0; megabytes < FullDatabaseHost.DiskBytes / 1_000_000; megabytes++) await write.ExecuteScalarAsync();
        });
        Assert.False(ended is PostgresException { Severity: "ERROR" }, ended.Message); // its connection is gone
    }

    /// <summary>What its client was shown is what the journal has, each event once and in order, and so are the prompts.</summary>
    private async Task AssertWholeAsync(JourneyRun run, int prompts)
    {
        var shown = run.Log.Snapshot();
        Assert.Equal(Enumerable.Range(1, shown.Count).Select(seq => (long)seq), shown.Select(e => e.Seq));
        Assert.Equal((prompts, prompts), (shown.Count(e => e.Type == "message.queued"), shown.Count(JourneyRun.IsEnd)));
        var kept = new List<SessionEvent>();
        for (string? after = null; ;)
        {
            var page = await host.Client.ListEventsAsync(run.Session.Id, after, 1_000, default);
            kept.AddRange(page.Items);
            if ((after = page.NextCursor) is null) break;
        }

        Assert.Equal(kept.Take(shown.Count).Select(Said), shown.Select(Said));
    }

    private static (long, string, string?, string) Said(SessionEvent e) => (e.Seq, e.Type, e.MessageId, e.Data.GetRawText());

    private async Task<HttpStatusCode> ReadyAsync()
    {
        using var answer = await host.Http.GetAsync(new Uri("/health/ready", UriKind.Relative));
        return answer.StatusCode;
    }

    private async Task<(HttpStatusCode Status, string? Code, bool SaysWhen)> SendAsync(JourneyRun run, string text, string idempotencyKey)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/sessions/{run.Session.Id}/messages") { Content = JsonContent.Create(new { text }) };
        request.Headers.Add("Idempotency-Key", idempotencyKey);
        using var answer = await host.Http.SendAsync(request);
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        return (answer.StatusCode, body.TryGetProperty("code", out var code) ? code.GetString() : null, answer.Headers.RetryAfter?.Delta > TimeSpan.Zero);
    }
}

/// <summary>A host whose database has a disk of its own, which a test may fill.</summary>
public sealed class FullDatabaseHost : JourneyHost
{
    public const long DiskBytes = 128L * 1024 * 1024;

    protected override long? DatabaseDisk => DiskBytes;

    /// <summary>A test that failed may have left it full, and what ends a session is written down.</summary>
    public override Task DisposeAsync()
    {
        Process.DatabaseDisk.MakeRoom();
        return base.DisposeAsync();
    }

    protected override Task<IReadOnlyDictionary<string, string>> SettingsAsync() =>
        Task.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string> { ["Database:Journal:OutagePatience"] = "00:00:01", ["Sessions:Host:JournalPatience"] = "00:00:02" });
}
