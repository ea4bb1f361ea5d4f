using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.Acp;

/// <summary>
/// How one agent that speaks the Agent Client Protocol is started: all that the protocol does not say.
/// </summary>
/// <param name="Name">The agent's name in settings, such as <c>opencode</c>.</param>
/// <param name="Arguments">What follows the executable, such as <c>acp</c>.</param>
/// <param name="Prepare">
/// Answers the agent's whole environment for a launch that must know the given models, the last of them as its default;
/// may write what the agent reads from its home.
/// </param>
/// <param name="ModelValue">
/// What the agent calls a model in its own model setting; null when it has none, and takes its model from the environment.
/// </param>
public sealed record AcpAgentProfile(
    string Name,
    IReadOnlyList<string> Arguments,
    Func<AgentLaunch, IReadOnlyList<AgentModel>, IReadOnlyDictionary<string, string>> Prepare,
    Func<AgentModel, string>? ModelValue = null);
