using System.Text.Json;
using Coordinator.Adapters.OpenCode;
using Coordinator.Adapters.OpenCode.Launch;
using Coordinator.Adapters.OpenCode.Turns;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Xunit;

namespace Coordinator.Tests.Modules.Agents.OpenCode;

public sealed class OpenCodeLaunchTests : IDisposable
{
    private static readonly AgentModel Demo = new("demo", "scripted-1", ModelWire.OpenAiChat, 128_000, 8_192);

    private readonly string home = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"launch-{PrefixedId.NewValue(TimeProvider.System):n}")).FullName;

    public void Dispose() => Directory.Delete(home, recursive: true);

    [Theory]
    [InlineData(ModelWire.OpenAiChat, "@ai-sdk/openai-compatible")]
    [InlineData(ModelWire.OpenAiResponses, "@ai-sdk/openai")]
    [InlineData(ModelWire.AnthropicMessages, "@ai-sdk/anthropic")]
    public void Each_wire_has_its_bundled_package_and_the_loopback_route_of_its_provider(ModelWire wire, string package)
    {
        var model = Demo with { Wire = wire };
        var config = Config([model]);
        var provider = config.GetProperty("provider").GetProperty(OpenCodeModelName.Of(model).ProviderId);

        Assert.Equal(package, provider.Text("npm"));
        Assert.Equal("http://127.0.0.1:4010/model/v1/demo", provider.GetProperty("options").Text("baseURL"));
        Assert.Equal(128_000, provider.GetProperty("models").GetProperty("scripted-1").GetProperty("limit").Number("context"));
        Assert.Equal(8_192, provider.GetProperty("models").GetProperty("scripted-1").GetProperty("limit").Number("output"));
    }

    [Fact]
    public void The_last_model_is_the_default_for_small_things_too_and_all_are_there()
    {
        var other = new AgentModel("other", "family/two", ModelWire.OpenAiChat, 1, 1);

        var config = Config([Demo, Demo with { Model = "scripted-2" }, other]);

        Assert.Equal("coordinator-other-chat/family/two", config.Text("model"));
        Assert.Equal("coordinator-other-chat/family/two", config.Text("small_model"));
        Assert.Equal(2, config.GetProperty("provider").GetProperty("coordinator-demo-chat").GetProperty("models").EnumerateObject().Count());
    }

    [Theory]
    [InlineData(false, "allow")]
    [InlineData(true, "ask")]
    public void Defaults_would_ask_even_without_a_configuration_so_every_permission_is_settled(bool ask, string expected)
    {
        var permission = Config([Demo], ask).GetProperty("permission");

        Assert.Equal("*", permission.EnumerateObject().First().Name);
        foreach (var guarded in (string[])["bash", "edit", "webfetch"]) Assert.Equal(expected, permission.Text(guarded));
        Assert.Equal("deny", permission.Text("question"));
        Assert.Equal("deny", permission.GetProperty("external_directory").Text("*"));
    }

    [Fact]
    public void The_environment_keeps_it_from_reaching_out_and_from_running_what_a_repository_brings()
    {
        var environment = OpenCodeEnvironment.Build(Launch() with { Environment = new Dictionary<string, string> { ["PATH"] = "/bin", ["NO_PROXY"] = "example.org" } }, [Demo], "secret");

        foreach (var name in (string[])["MODELS_FETCH", "PROJECT_CONFIG", "DEFAULT_PLUGINS", "LSP_DOWNLOAD", "SHARE", "AUTOUPDATE", "CLAUDE_CODE", "EXTERNAL_SKILLS"])
        {
            Assert.Equal("1", environment[$"OPENCODE_DISABLE_{name}"]);
        }

        Assert.Equal("secret", environment["OPENCODE_SERVER_PASSWORD"]);
        Assert.Equal("127.0.0.1,localhost,example.org", environment["NO_PROXY"]);
        Assert.Equal("/bin", environment["PATH"]);
        Assert.Equal(home, environment["HOME"]);
    }

    [Fact]
    public void A_repositorys_instructions_are_still_told_to_the_model()
    {
        File.WriteAllText(Path.Combine(home, "AGENTS.md"), "Use tabs.");

        Assert.Equal([Path.Combine(home, "AGENTS.md")], Config([Demo]).Items("instructions").Select(path => path.ToString()));
    }

    [Fact]
    public void The_configuration_is_made_anew_and_what_a_tool_has_put_there_is_gone()
    {
        OpenCodeHome.Seed(Launch());
        var planted = Path.Combine(home, ".config", "opencode", "plugin", "a.js");
        var guard = Path.Combine(home, ".config", "opencode", OpenCodeGuard.FileName);
        File.WriteAllText(planted, "");
        File.WriteAllText(guard, "");

        OpenCodeHome.Seed(Launch());

        Assert.False(File.Exists(planted));
        Assert.Equal(OpenCodeGuard.Script, File.ReadAllText(guard));
        Assert.Contains("@opencode-ai/plugin", File.ReadAllText(Path.Combine(home, ".config", "opencode", "package-lock.json")), StringComparison.Ordinal);
        Assert.True(Directory.Exists(Path.Combine(home, ".config", "opencode", "node_modules")));
    }

    [Fact]
    public void The_ids_of_prompts_sort_between_those_OpenCode_makes_before_and_after()
    {
        var clock = new FixedClock(DateTimeOffset.FromUnixTimeMilliseconds(1795196570406));

        var id = MessageIds.Next(clock);

        Assert.StartsWith("msg_1fa0dcb26001", id, StringComparison.Ordinal);
        Assert.Equal("msg_1fa0dcb26001HXo7kv02Q9wECO".Length, id.Length);
    }

    private JsonElement Config(IReadOnlyList<AgentModel> models, bool ask = false) =>
        JsonElement.Parse(OpenCodeEnvironment.Build(Launch() with { AskPermissions = ask }, models, "secret")["OPENCODE_CONFIG_CONTENT"]);

    private AgentLaunch Launch() =>
        new("/opt/opencode", home, home, new Dictionary<string, string>(), new Uri("http://127.0.0.1:4010/model/v1"), Demo, false, TimeSpan.FromSeconds(1));

    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
