using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Events;
using Coordinator.Sandbox.HostLink;

namespace Coordinator.Sandbox.Agent;

/// <summary>What every turn works with.</summary>
/// <param name="ModelCalls">How many model calls are under way right now.</param>
internal sealed record TurnServices(
    BoxIdentity Identity,
    AgentHost Agent,
    BridgeClient Bridge,
    LifecycleEvents Lifecycle,
    Redactor Redactor,
    IArtifactUpload Artifacts,
    Func<int> ModelCalls,
    TimeSpan HangLimit,
    TimeProvider Time,
    BoxLog Log);
