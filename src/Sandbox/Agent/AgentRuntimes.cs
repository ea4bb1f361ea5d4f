using System.Security.Cryptography;
using Coordinator.Adapters.Acp;
using Coordinator.Adapters.OpenCode;
using Coordinator.Adapters.OpenCode.Launch;
using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Sandbox.Agent;

/// <summary>Makes a runtime that has not been started.</summary>
internal delegate IAgentRuntime NewRuntime();

/// <summary>An agent this box can run, and where its executable is.</summary>
internal sealed record AvailableAgent(NewRuntime NewRuntime, string Executable);

/// <summary>Finds an agent by the name a session chose. Problem: <c>agent_start_failed</c>, naming what there is.</summary>
internal delegate Result<AvailableAgent> FindAgent(string name);

/// <summary>The agents this program can run.</summary>
internal static class AgentRuntimes
{
    /// <summary>OpenCode by the Agent Client Protocol: the same home, switches and model route as by its own API.</summary>
    private static readonly AcpAgentProfile OpenCodeOverAcp = new("opencode-acp", ["acp"], PrepareOpenCode, model => OpenCodeModelName.Of(model).ToString());

    /// <summary>By name: whose executable it takes, and how a runtime is made.</summary>
    private static readonly Dictionary<string, (string Executable, Func<TimeProvider, IAgentRuntime> Make)> ByName = new(StringComparer.Ordinal)
    {
        ["opencode"] = ("opencode", time => new OpenCodeRuntime(time)),
        ["opencode-acp"] = ("opencode", time => new AcpRuntime(OpenCodeOverAcp, time)),
    };

    public static Result<AvailableAgent> Find(string name, IReadOnlyDictionary<string, string> executables, TimeProvider time)
    {
        if (ByName.TryGetValue(name, out var agent) && executables.TryGetValue(agent.Executable, out var executable)) return new AvailableAgent(() => agent.Make(time), executable);
        var known = ByName.Where(known => executables.ContainsKey(known.Value.Executable)).Select(known => known.Key).Order(StringComparer.Ordinal);
        return new Problem("agent_start_failed", $"This box cannot run the agent '{name}'; it has: {string.Join(", ", known)}.");
    }

    /// <summary>It opens an HTTP listener even under ACP, so it gets a password nobody knows.</summary>
    private static IReadOnlyDictionary<string, string> PrepareOpenCode(AgentLaunch launch, IReadOnlyList<AgentModel> models)
    {
        OpenCodeHome.Seed(launch);
        return OpenCodeEnvironment.Build(launch, models, Convert.ToHexString(RandomNumberGenerator.GetBytes(24)));
    }
}
