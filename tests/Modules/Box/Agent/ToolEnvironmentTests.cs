using Coordinator.Ports;
using Coordinator.Sandbox.Configuration;
using Coordinator.Sandbox.Processes;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Agent;

public sealed class ToolEnvironmentTests
{
    private static readonly BoxConfiguration Box = new()
    {
        Endpoint = "unix:/run/host.sock",
        Token = "sb_org.ses.box.1.canary-secret",
        Sandbox = SandboxId.New(TimeProvider.System),
        Generation = 1,
        Workspace = "/workspace",
        Home = "/home/agent",
        State = "/home/agent/.coordinator",
        Agents = new Dictionary<string, string> { ["opencode"] = "/opt/opencode" },
    };

    [Fact]
    public void Secrets_in_the_agent_s_environment_cannot_come_back_in_its_output_for_none_are_there()
    {
        var inherited = new Dictionary<string, string>
        {
            ["PATH"] = "/opt/bin:/usr/bin",
            ["GITHUB_TOKEN"] = "canary-secret",
            ["AWS_SECRET_ACCESS_KEY"] = "canary-secret",
            ["COORDINATOR_MASTER_KEY"] = "canary-secret",
        };

        var environment = ToolEnvironment.Build(Box, inherited, 4000, "/opt/coordinator-box");

        Assert.DoesNotContain(environment, pair => pair.Value.Contains("canary-secret", StringComparison.Ordinal));
        Assert.Equal("/opt/bin:/usr/bin", environment["PATH"]);
    }

    [Fact]
    public void Everything_but_loopback_goes_through_the_proxy()
    {
        var environment = ToolEnvironment.Build(Box, new Dictionary<string, string>(), 4000, "/opt/coordinator-box");

        Assert.All(new[] { "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy" }, name => Assert.Equal("http://127.0.0.1:4000", environment[name]));
        Assert.All(new[] { "NO_PROXY", "no_proxy" }, name => Assert.Contains("127.0.0.1", environment[name], StringComparison.Ordinal));
    }

    [Fact]
    public void The_mark_of_the_box_is_carried_by_whatever_it_starts()
    {
        var environment = ToolEnvironment.Build(Box, new Dictionary<string, string> { ["COORDINATOR_SANDBOX"] = "box_x" }, 4000, "/opt/coordinator-box");

        Assert.Equal("box_x", environment["COORDINATOR_SANDBOX"]);
    }

    [Fact]
    public void Git_asks_this_program_for_credentials_and_nobody_at_the_terminal()
    {
        var environment = ToolEnvironment.Build(Box, new Dictionary<string, string>(), 4000, "/opt/it's/coordinator-box");

        Assert.Equal("0", environment["GIT_TERMINAL_PROMPT"]);
        Assert.Equal("!'/opt/it'\\''s/coordinator-box' git-credential", environment["GIT_CONFIG_VALUE_1"]);
        Assert.Equal("4000", environment[ToolEnvironment.PortVariable]);
    }
}
