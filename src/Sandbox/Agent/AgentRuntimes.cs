using Coordinator.Adapters.OpenCode;
using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Sandbox.Agent;

/// <summary>Makes a runtime that has not been started.</summary>
internal delegate IAgentRuntime NewRuntime();

/// <summary>The agents this program can run, by the name a session chooses.</summary>
internal static class AgentRuntimes
{
    private static readonly Dictionary<string, Func<TimeProvider, IAgentRuntime>> ByName = new(StringComparer.Ordinal)
    {
        ["opencode"] = time => new OpenCodeRuntime(time),
    };

    /// <summary>The maker of runtimes and the executable's path. Problem: <c>agent_start_failed</c>, naming what there is.</summary>
    public static Result<(NewRuntime Make, string Executable)> Find(string name, IReadOnlyDictionary<string, string> executables, TimeProvider time)
    {
        if (!ByName.TryGetValue(name, out var make)) return Unknown(name, ByName.Keys);
        if (!executables.TryGetValue(name, out var executable)) return Unknown(name, executables.Keys);
        return (() => make(time), executable);
    }

    private static Problem Unknown(string name, IEnumerable<string> known) =>
        new("agent_start_failed", $"This box cannot run the agent '{name}'; it has {string.Join(", ", known.Order(StringComparer.Ordinal))}.");
}
