using Coordinator.Fakes.Compute;
using Coordinator.Ports.Compute;
using Xunit;

namespace Coordinator.Tests.Conformance.AgentRuntime;

/// <summary>The contract on the fake.</summary>
public sealed class ScriptedAgentRuntimeTests(ScriptedAgentHarness harness) : AgentRuntimeContract(harness), IClassFixture<ScriptedAgentHarness>;

public sealed class ScriptedAgentHarness : AgentRuntimeHarness
{
    private readonly ScriptedAgentStore store = new();

    public override IReadOnlyList<string> ModelsCalled => store.Prompts.Select(prompt => prompt.Model.FullName).ToList();

    protected override string Executable => "/opt/scripted";

    protected override Uri ModelBaseUrl { get; } = new("http://127.0.0.1:1/model/v1");

    public override IAgentRuntime Create() => new ScriptedAgentRuntime(store, TimeProvider.System);

    public override void Kill(IAgentRuntime runtime) => ((ScriptedAgentRuntime)runtime).Crash();
}
