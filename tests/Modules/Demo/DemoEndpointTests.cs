using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Coordinator.Demo;
using Coordinator.Ports.Models;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Coordinator.Tests.Modules.Demo;

public sealed class DemoEndpointTests : IAsyncLifetime
{
    private readonly string directory = Directory.CreateTempSubdirectory("coordinator-demo-").FullName;
    private LoopbackServer server = null!;

    public async Task InitializeAsync() => server = await StartAsync(enabled: true);

    public async Task DisposeAsync()
    {
        await server.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_stream_gives_the_text_word_by_word_and_the_usage_at_its_end()
    {
        var lines = (await CallAsync("count to 3", stream: true)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var chunks = lines.SkipLast(1).Select(line => JsonNode.Parse(line["data: ".Length..])!).ToArray();

        Assert.Equal("data: [DONE]", lines[^1]);
        Assert.Equal(["", "1 ", "2 ", "3"], chunks.Select(chunk => chunk["choices"]!.AsArray()).Where(choices => choices.Count > 0).Select(choices => (string?)choices[0]!["delta"]!["content"]).OfType<string>());
        Assert.Equal("stop", (string?)chunks[^2]["choices"]![0]!["finish_reason"]);
        Assert.True((int)chunks[^1]["usage"]!["completion_tokens"]! > 0);
    }

    [Fact]
    public async Task The_same_request_is_answered_the_same_way()
    {
        static string WithoutTime(string answer) => System.Text.RegularExpressions.Regex.Replace(answer, "\"created\":\\d+", string.Empty);

        Assert.Equal(WithoutTime(await CallAsync("hello", stream: true)), WithoutTime(await CallAsync("hello", stream: true)));
    }

    [Fact]
    public async Task A_call_that_does_not_stream_gets_the_whole_answer()
    {
        var answer = JsonNode.Parse(await CallAsync("count to 3", stream: false))!;

        Assert.Equal("1 2 3", (string?)answer["choices"]![0]!["message"]!["content"]);
        Assert.True((int)answer["usage"]!["prompt_tokens"]! > 0);
    }

    [Fact]
    public async Task A_long_conversation_is_answered_although_the_host_takes_less_elsewhere() =>
        Assert.Contains("1 2 3", await CallAsync("count to 3 " + new string(' ', 2 * 1024 * 1024), stream: false), StringComparison.Ordinal);

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer wrong")]
    public async Task The_model_answers_nobody_but_the_gateway_of_its_own_process(string? authorization)
    {
        using var client = TestHttp.Client(server.Address);
        using var request = new HttpRequestMessage(HttpMethod.Post, "demo/model/v1/chat/completions") { Content = JsonContent.Create(Body("hello", stream: false)) };
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);

        using var response = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task The_demo_is_off_unless_configuration_says_otherwise()
    {
        await using var off = await StartAsync(enabled: false);
        using var client = TestHttp.Client(off.Address);

        Assert.Empty(off.Services.GetServices<IModelProviderSource>());
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(new Uri("demo/repositories/node-sample.git/info/refs?service=git-upload-pack", UriKind.Relative))).StatusCode);
    }

    [Fact]
    public void The_provider_says_that_it_is_a_demo()
    {
        var provider = server.Services.GetRequiredService<IModelProviderSource>().Find("demo")!;

        Assert.True(provider.IsDemo);
        Assert.Contains("demo", provider.DisplayName, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(provider.ApiKey, provider.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_sample_repository_can_be_cloned_and_its_tests_are_there()
    {
        var clone = Path.Combine(directory, "clone");
        var url = new Uri(server.Address, "demo/repositories/node-sample.git");

        await GitAsync("clone", "--quiet", "--depth=1", url.AbsoluteUri, clone);

        Assert.True(File.Exists(Path.Combine(clone, ".env.example")));
        Assert.Contains("node --test", await File.ReadAllTextAsync(Path.Combine(clone, "package.json")), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(clone, "test", "cart.test.js")));
    }

    [Fact]
    public async Task The_sample_repository_cannot_be_pushed_to()
    {
        using var client = TestHttp.Client(server.Address);

        using var response = await client.GetAsync(new Uri("demo/repositories/node-sample.git/info/refs?service=git-receive-pack", UriKind.Relative));

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task A_request_to_the_repository_beyond_the_bound_is_refused()
    {
        using var client = TestHttp.Client(server.Address);

        using var response = await client.PostAsync(new Uri("demo/repositories/node-sample.git/git-upload-pack", UriKind.Relative), new ByteArrayContent(new byte[(1024 * 1024) + 1]));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    private Task<LoopbackServer> StartAsync(bool enabled) => LoopbackServer.StartAsync(app => app.MapDemo(), builder =>
    {
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = 1024 * 1024);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Demo:Enabled"] = enabled.ToString(), ["Demo:WordPause"] = "00:00:00", ["Demo:Directory"] = Path.Combine(directory, "data") });
        builder.Services.AddDemo(builder.Configuration);
    });

    private async Task<string> CallAsync(string prompt, bool stream)
    {
        var provider = server.Services.GetRequiredService<IModelProviderSource>().Find("demo")!;
        using var client = TestHttp.Client();
        client.DefaultRequestHeaders.Authorization = new("Bearer", provider.ApiKey);
        using var response = await client.PostAsJsonAsync($"{provider.BaseUrl}/chat/completions", Body(prompt, stream));
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsStringAsync();
    }

    private static JsonObject Body(string prompt, bool stream) => new()
    {
        ["model"] = "scripted",
        ["stream"] = stream,
        ["stream_options"] = new JsonObject { ["include_usage"] = true },
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = prompt }),
        ["tools"] = new JsonArray(new JsonObject { ["type"] = "function", ["function"] = new JsonObject { ["name"] = "bash" } }),
    };

    private static async Task GitAsync(params string[] arguments)
    {
        using var git = Process.Start(new ProcessStartInfo("git", arguments) { RedirectStandardError = true, Environment = { ["GIT_TERMINAL_PROMPT"] = "0", ["no_proxy"] = "*" } })!;
        var errors = await git.StandardError.ReadToEndAsync();
        await git.WaitForExitAsync();
        Assert.True(git.ExitCode == 0, errors);
    }
}
