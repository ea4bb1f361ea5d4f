using System.Text.Json;
using Coordinator.Cli.Journey;
using Coordinator.Tests.Support.Hosting;
using Xunit;

namespace Coordinator.Tests.Journey;

/// <summary>What goes wrong inside a box stays there: the message says so, the host is well and the session goes on.</summary>
[Collection(JourneyHost.Collection)]
public sealed class BoxFaultTests(JourneyHost host)
{
    /// <summary>A turn, with the start of the box before it when it is the session's first.</summary>
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task An_agent_killed_in_the_middle_of_a_turn_fails_its_message_and_the_next_one_works()
    {
        await using var run = await host.StartSessionAsync();
        var message = await run.PromptAsync("run `sleep 120`", CancellationToken.None);
        await run.WaitAsync("the tool to start", e => e.MessageId == message && e.Type == "tool.started", Turn, CancellationToken.None);

        var agents = LiveProcess.Naming(run.Session.Id).Where(process => process.Command.Contains("opencode", StringComparison.Ordinal) && !process.Command.Contains("bwrap", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(agents);
        foreach (var agent in agents) agent.Kill();

        var end = await run.EndAsync(message, "message.failed", Turn, CancellationToken.None);
        Assert.Equal("agent_crashed", end.Text("code"));
        var next = await run.PromptAsync("count to 5", CancellationToken.None);
        await run.EndAsync(next, "message.completed", Turn, CancellationToken.None);
        Assert.Contains("4 5", run.TextOf(next), StringComparison.Ordinal);
        await host.Client.ArchiveAsync(run.Session.Id, CancellationToken.None);
    }

    [Fact]
    public async Task A_tool_that_prints_200_MB_ends_with_its_output_cut_and_the_host_stays_small()
    {
        var run = await host.SharedSessionAsync();
        var before = host.Process.ResidentBytes;

        var message = await run.PromptAsync("run `head -c 200000000 /dev/zero | tr '\\0' x`", CancellationToken.None);
        await run.EndAsync(message, "message.completed", TimeSpan.FromSeconds(90), CancellationToken.None);

        var tool = Assert.Single(run.EventsOf(message), e => e.Type == "tool.completed");
        Assert.True(tool.Text("output")!.Length <= 33 * 1024, $"The output has {tool.Text("output")!.Length} characters.");
        Assert.True(tool.Data.GetProperty("truncated").GetBoolean(), "The event does not say that the output was cut.");
        Assert.False(tool.Data.TryGetProperty("outputLength", out _), "Nobody knows how long the whole was: the agent has cut it.");
        var grown = host.Process.ResidentBytes - before;
        Assert.True(grown < 300L * 1024 * 1024, $"The host grew by {grown / 1024 / 1024} MiB.");
        await AnswersAsync(run);
    }

    [Theory]
    [InlineData("169.254.169.254", 80)]
    [InlineData("127.0.0.1", 0)]
    [InlineData("localhost", 0)]
    [InlineData("10.0.0.1", 443)]
    public async Task A_box_reaches_neither_the_clouds_metadata_nor_the_hosts_own_network(string address, int port)
    {
        var run = await host.SharedSessionAsync();
        var target = $"{address}:{(port == 0 ? host.Process.Url.Port : port)}";

        var direct = await ToolAsync(run, $"timeout 5 bash -c 'exec 3<>/dev/tcp/{target.Replace(':', '/')}' 2>/dev/null && echo direct-$((1+1)) || echo direct-none");
        var tunnel = await ToolAsync(run, Through($"CONNECT {target} HTTP/1.1\\r\\nHost: {target}\\r\\n\\r\\n"));
        var plain = await ToolAsync(run, Through($"GET http://{target}/ HTTP/1.1\\r\\nHost: {target}\\r\\nConnection: close\\r\\n\\r\\n"));

        Assert.Contains("direct-none", direct, StringComparison.Ordinal);
        Assert.Contains("HTTP/1.1 403", tunnel, StringComparison.Ordinal);
        Assert.Contains("HTTP/1.1 403", plain, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_secret_comes_out_in_events_or_in_the_log()
    {
        const string canary = "sk-canary-3f9a61d0c2b84e57";
        using (var stored = await host.Http.PutAsync("/v1/secrets/models/anthropic", JsonContent(new { value = canary }))) stored.EnsureSuccessStatusCode();
        var run = await host.SharedSessionAsync();
        var environment = await ToolAsync(run, "env");
        await ToolAsync(run, "cat /proc/*/environ | tr '\\0' '\\n'");
        await ToolAsync(run, "cat /run/coordinator/box.json");
        await ToolAsync(run, "d=/run; d=$d/coordinator; head -c 4000 $d/box.json");
        Assert.Contains("HTTP_PROXY", environment, StringComparison.Ordinal);

        var config = Assert.Single(Directory.EnumerateFiles(host.Process.DataDirectory, "box.json", SearchOption.AllDirectories), file => file.Contains(run.Session.Id, StringComparison.Ordinal));
        using var box = JsonDocument.Parse(await File.ReadAllTextAsync(config));
        var token = box.RootElement.GetProperty("token").GetString()!;
        var events = string.Join('\n', run.Log.Snapshot().Select(e => e.Data.GetRawText()));
        var log = host.Process.Output;
        var key = host.ApiKey;
        Assert.All([canary, key], secret => Assert.DoesNotContain(secret, events, StringComparison.Ordinal));
        Assert.False(events.Contains(Secret(token), StringComparison.Ordinal), "The box's token stands in the session's events.");
        Assert.All([canary, key, Secret(token)], secret => Assert.False(log.Contains(secret, StringComparison.Ordinal), "A secret stands in the host's log."));
        using var removed = await host.Http.DeleteAsync(new Uri("/v1/secrets/models/anthropic", UriKind.Relative));
        removed.EnsureSuccessStatusCode();
    }

    [Fact]
    public async Task A_tool_cannot_read_what_the_programs_that_watch_over_it_know()
    {
        var run = await host.SharedSessionAsync();

        var environments = await ToolAsync(run, "env; for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/environ; done 2>&1");
        var memories = await ToolAsync(run, "for p in $(pgrep 'coordinator-box|opencode'); do head -c 1 /proc/$p/mem; ls /proc/$p/fd; done; ls /tmp/dotnet-diagnostic* 2>&1");

        Assert.DoesNotContain("OPENCODE_SERVER_PASSWORD", environments, StringComparison.Ordinal);
        Assert.Contains("Permission denied", environments, StringComparison.Ordinal);
        Assert.Equal(2, memories.Split('\n').Count(line => line.Contains("/mem", StringComparison.Ordinal) && line.Contains("Permission denied", StringComparison.Ordinal)));
        Assert.Equal(2, memories.Split('\n').Count(line => line.Contains("/fd", StringComparison.Ordinal) && line.Contains("Permission denied", StringComparison.Ordinal)));
        Assert.Contains("No such file", memories, StringComparison.Ordinal);
    }

    private static System.Net.Http.Json.JsonContent JsonContent(object body) => System.Net.Http.Json.JsonContent.Create(body);

    /// <summary>The part of a box's token that nobody may know: the rest are ids, which events hold.</summary>
    private static string Secret(string token) => token[(token.LastIndexOf('.') + 1)..];

    /// <summary>A shell command that sends raw bytes to the proxy which the box hands to its tools, and prints the answer's first line.</summary>
    private static string Through(string request) =>
        $"p=${{HTTP_PROXY#http://}}; p=${{p%/}}; timeout 10 bash -c \"exec 3<>/dev/tcp/${{p%:*}}/${{p##*:}}; printf '{request}' >&3; head -1 <&3\"";

    private static async Task AnswersAsync(JourneyRun run)
    {
        var message = await run.PromptAsync("count to 5", CancellationToken.None);
        await run.EndAsync(message, "message.completed", Turn, CancellationToken.None);
        Assert.Contains("4 5", run.TextOf(message), StringComparison.Ordinal);
    }

    /// <summary>What a command in the box prints, or why it may not run.</summary>
    private static async Task<string> ToolAsync(JourneyRun run, string command)
    {
        var message = await run.PromptAsync($"run `{command}`", CancellationToken.None);
        await run.EndAsync(message, "message.completed", Turn, CancellationToken.None);
        var tool = Assert.Single(run.EventsOf(message), e => e.Type is "tool.completed" or "tool.failed");
        return tool.Text("output") ?? tool.Text("error") ?? string.Empty;
    }
}
