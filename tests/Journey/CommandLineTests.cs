using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Coordinator.Cli;
using Coordinator.Client;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Coordinator.Tests.Journey;

/// <summary>The program itself: which key goes where, and what it says to settings that make no sense.</summary>
public sealed class CommandLineTests : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo settings = Directory.CreateTempSubdirectory("coordinator-cli-");

    [Fact]
    public async Task The_stored_key_goes_to_its_host_and_to_no_other_that_is_named()
    {
        ConcurrentQueue<string> keys = new();
        await using var host = await LoopbackServer.StartAsync(app => app.MapGet("/v1/sessions", (HttpRequest request) =>
        {
            keys.Enqueue(request.Headers.Authorization.ToString());
            return Results.Json(new { items = Array.Empty<object>(), nextCursor = (string?)null });
        }));
        var origin = host.Address.GetLeftPart(UriPartial.Authority);

        Store("https://coordinator.example");
        var (refused, complaint) = await RunAsync(["sessions", "--url", origin]);
        Assert.Equal(1, refused);
        Assert.Contains("is of https://coordinator.example and is not sent to", complaint, StringComparison.Ordinal);
        Assert.Empty(keys);

        Store(origin);
        Assert.Equal(0, (await RunAsync(["sessions"])).ExitCode);
        Assert.Equal("Bearer ck_stored", Assert.Single(keys));
    }

    [Theory]
    [InlineData("https://one.example", "https://one.example:443/", true)]
    [InlineData("https://one.example", "https://ONE.example", true)]
    [InlineData("https://one.example", "http://one.example", false)]
    [InlineData("https://one.example", "https://one.example:8443", false)]
    [InlineData("https://one.example", "https://one.example.evil.example", false)]
    [InlineData("http://localhost:8787", "http://127.0.0.1:8787", false)]
    public void A_host_is_the_stored_one_by_scheme_name_and_port(string stored, string named, bool same)
    {
        var credentials = new Credentials(stored, "ck_stored");

        if (same) Assert.Equal("ck_stored", Credentials.StoredKeyFor(new(named), credentials));
        else Assert.Equal("not_signed_in", Assert.Throws<CoordinatorException>(() => Credentials.StoredKeyFor(new(named), credentials)).Code);
    }

    [Theory]
    [InlineData("sessions", "--url", "localhost:8787")]
    [InlineData("doctor", "--url", "localhost:8787")]
    [InlineData("login", "--key", "ck_x", "--url", "localhost")]
    [InlineData("events", "ses_x", "--url", "ftp://localhost")]
    public async Task An_address_without_http_is_said_to_be_none(params string[] arguments)
    {
        var (code, complaint) = await RunAsync(arguments);

        Assert.Equal(2, code);
        Assert.Contains($"'{arguments[^1]}' (--url) is not the address of a host", complaint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stored_credentials_that_cannot_be_read_are_said_by_name()
    {
        await File.WriteAllTextAsync(CredentialsFile(), "{ torn");

        var (code, complaint) = await RunAsync(["sessions"]);

        Assert.Equal(2, code);
        Assert.Contains("credentials.json cannot be read", complaint, StringComparison.Ordinal);
    }

    /// <summary>The page was written before its server was restored: its end is of the history that is now, its events of the one before.</summary>
    [Fact]
    public async Task An_event_of_a_page_is_printed_as_the_protocol_has_it_with_a_cursor_to_resume_after_it()
    {
        const string First = """{"cursor":"1.4","seq":4,"from":2,"at":"2026-01-02T03:04:05.678Z","type":"agent.text","messageId":"msg_1","data":{"part":"p1","offset":0,"text":"a \"word\""}}""";
        const string Last = """{"cursor":"1.5","seq":5,"at":"2026-01-02T03:04:06.000Z","type":"session.archived","data":{}}""";
        await using var host = await LoopbackServer.StartAsync(app => app.MapGet("/v1/sessions/ses_1/events", () =>
            Results.Text($$"""{"items":[{{First}},{{Last}}],"cursor":"2.5","nextCursor":null}""", "application/json")));
        Store(host.Address.GetLeftPart(UriPartial.Authority));

        var printed = (await AnswerAsync(["events", "ses_1"])).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

        string[] expected = [First.Replace("1.4", "2.4", StringComparison.Ordinal), Last.Replace("1.5", "2.5", StringComparison.Ordinal)];
        Assert.Equal(expected.Select(AsRead), printed.Select(AsRead));
    }

    /// <summary>As a person mentions a file to an agent; a command line takes such a word for the name of a file of arguments.</summary>
    [Fact]
    public async Task A_prompt_that_begins_with_an_at_sign_is_sent_as_it_is()
    {
        const string Text = "@README.md says what?";
        ConcurrentQueue<string> bodies = new();
        await using var host = await LoopbackServer.StartAsync(app => app.MapPost("/v1/sessions/{id}/messages", async (HttpRequest request) =>
        {
            using var body = new StreamReader(request.Body);
            bodies.Enqueue(await body.ReadToEndAsync(request.HttpContext.RequestAborted));
            return Results.Json(new { code = "session_archived", detail = "It is archived." }, contentType: "application/problem+json", statusCode: 409);
        }));
        Store(host.Address.GetLeftPart(UriPartial.Authority));

        var (code, complaint) = await RunAsync(["prompt", "ses_1", Text]);

        Assert.Contains("It is archived.", complaint, StringComparison.Ordinal);
        Assert.Equal(1, code);
        Assert.Equal(Text, JsonDocument.Parse(Assert.Single(bodies)).RootElement.GetProperty("text").GetString());
    }

    [Fact]
    public async Task The_first_prompt_is_sent_with_the_session_that_is_made_which_is_named_by_it()
    {
        ConcurrentQueue<string> bodies = new();
        await using var host = await LoopbackServer.StartAsync(app => app.MapPost("/v1/sessions", async (HttpRequest request) =>
        {
            using var body = new StreamReader(request.Body);
            bodies.Enqueue(await body.ReadToEndAsync(request.HttpContext.RequestAborted));
            return Results.Text("""
                {"id":"ses_1","title":"count to 400","status":"active","model":"demo/scripted","agent":"opencode","permissions":"auto","repository":null,
                 "createdAt":"2026-01-02T03:04:05Z","updatedAt":"2026-01-02T03:04:05Z","createdBy":{"kind":"user","id":"usr_1","displayName":"Ada"},"cursor":"1.2",
                 "sandbox":{"id":null,"generation":0,"status":"none","reason":null},"messages":[{"id":"msg_1","status":"queued","text":"count to 400","model":"demo/scripted","position":0,"cancelling":false,"failure":null}],
                 "usage":{"inputTokens":0,"outputTokens":0,"reasoningTokens":0,"cacheReadTokens":0,"cacheWriteTokens":0,"costUsd":0}}
                """, "application/json", statusCode: 201);
        }));
        Store(host.Address.GetLeftPart(UriPartial.Authority));

        Assert.Equal("ses_1", (await AnswerAsync(["new", "count to 400", "--model", "demo/scripted"])).Trim());

        Assert.Equal("count to 400", JsonDocument.Parse(Assert.Single(bodies)).RootElement.GetProperty("prompt").GetString());
    }

    public void Dispose() => settings.Delete(recursive: true);

    private void Store(string url) => File.WriteAllText(CredentialsFile(), JsonSerializer.Serialize(new { url, apiKey = "ck_stored" }));

    private string CredentialsFile() => Path.Combine(Directory.CreateDirectory(Path.Combine(settings.FullName, "coordinator")).FullName, "credentials.json");

    /// <summary>Alike, however its text is escaped.</summary>
    private static string AsRead(string json) => JsonSerializer.Serialize(JsonSerializer.Deserialize<JsonElement>(json));

    private async Task<(int ExitCode, string Complaint)> RunAsync(string[] arguments)
    {
        var (code, _, complaint) = await ProgramAsync(arguments);
        return (code, complaint);
    }

    private async Task<string> AnswerAsync(string[] arguments)
    {
        var (code, answer, complaint) = await ProgramAsync(arguments);
        Assert.Equal((0, string.Empty), (code, complaint));
        return answer;
    }

    private async Task<(int ExitCode, string Answer, string Complaint)> ProgramAsync(string[] arguments)
    {
        using var limit = new CancellationTokenSource(Bound);
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "coordinator.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["XDG_CONFIG_HOME"] = settings.FullName;
        foreach (var name in (string[])["COORDINATOR_URL", "COORDINATOR_API_KEY"]) start.Environment.Remove(name);
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var complaint = await process.StandardError.ReadToEndAsync(limit.Token);
            var answer = await output;
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, answer, complaint.ReplaceLineEndings(" "));
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}
