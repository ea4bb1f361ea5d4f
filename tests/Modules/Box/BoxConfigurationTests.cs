using Coordinator.Ports;
using Coordinator.Sandbox.Configuration;
using Coordinator.Sandbox.HostLink;
using Xunit;

namespace Coordinator.Tests.Modules.Box;

public sealed class BoxConfigurationTests : IDisposable
{
    private static readonly TimeSpan HostBootDeadline = TimeSpan.FromMinutes(15);
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_file_of_the_protocol_is_read()
    {
        var box = SandboxId.New(TimeProvider.System);
        var loaded = Load($$"""{ "endpoint": "unix:/run/coordinator/host/host.sock", "token": "sb_x", "sandbox": "{{box}}", "generation": 1, "workspace": "/workspace", "home": "/home/agent", "state": "/home/agent/.coordinator", "agents": { "opencode": "/opt/coordinator/opencode" }, "agentStartSeconds": 60, "later": 1 }""");

        Assert.True(loaded.IsSuccess);
        Assert.Equal((box, 60, "/opt/coordinator/opencode"), (loaded.Value.Sandbox, loaded.Value.AgentStartSeconds, loaded.Value.Agents["opencode"]));
        Assert.DoesNotContain("sb_x", loaded.Value.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void All_that_is_wrong_is_said_at_once_and_the_token_is_not()
    {
        var loaded = Load($$"""{ "endpoint": "ftp://x", "token": "canary", "sandbox": "{{SandboxId.New(TimeProvider.System)}}", "generation": 0, "workspace": "w", "home": "/h", "state": "/s", "agents": {} }""");

        var detail = loaded.Problem!.Detail;
        Assert.All(new[] { "endpoint", "token", "generation", "workspace", "agents" }, name => Assert.Contains(name, detail, StringComparison.Ordinal));
        Assert.DoesNotContain("canary", detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{ \"sandbox\": \"box_nonsense\" }")]
    public void What_is_no_configuration_is_refused(string text) => Assert.Equal("box_configuration_invalid", Load(text).Problem?.Code);

    [Fact]
    public void The_sum_of_the_phase_budgets_does_not_exceed_the_watchdog_over_them_all()
    {
        var sum = TimeSpan.FromSeconds(BoxBudgets.CloneSeconds + BoxBudgets.InstallSeconds + (2 * BoxBudgets.DiscoverSeconds) + BoxBudgets.AgentStartSeconds);

        Assert.True(sum < HostBootDeadline, $"{sum} is not below {HostBootDeadline}");
    }

    [Theory]
    [InlineData("unix:/run/host.sock", "ws://coordinator.local/v1/bridge")]
    [InlineData("https://coordinator.example/", "wss://coordinator.example/v1/bridge")]
    [InlineData("http://127.0.0.1:8787", "ws://127.0.0.1:8787/v1/bridge")]
    public void Each_sort_of_endpoint_has_its_bridge(string endpoint, string bridge) =>
        Assert.Equal(bridge, HostEndpoint.TryParse(endpoint)!.WebSocketAddress("v1/bridge").ToString());

    [Theory]
    [InlineData("unix:relative.sock")]
    [InlineData("https://user:password@host")]
    [InlineData("file:///etc/passwd")]
    [InlineData("host")]
    public void What_is_no_endpoint_is_refused(string endpoint) => Assert.Null(HostEndpoint.TryParse(endpoint));

    private Result<BoxConfiguration> Load(string text)
    {
        File.WriteAllText(folder["box.json"], text);
        return BoxConfiguration.Load(folder["box.json"]);
    }
}
