using System.Diagnostics;
using Coordinator.Adapters.OpenCode;
using Coordinator.Ports.Compute;
using Coordinator.Tests.Support.Agents;
using Xunit;

namespace Coordinator.Tests.Conformance.AgentRuntime;

/// <summary>The contract on a real OpenCode, driven through its server; its model is scripted.</summary>
[Collection(RealAgentHarness.OneAtATime)]
public sealed class OpenCodeRuntimeTests(OpenCodeHarness harness) : AgentRuntimeContract(harness), IClassFixture<OpenCodeHarness>;

/// <summary>A real agent process in front of a scripted model.</summary>
public abstract class RealAgentHarness : AgentRuntimeHarness
{
    /// <summary>The collection of the tests that run real agents through their server, one at a time: each takes half a gigabyte and most of a core.</summary>
    public const string OneAtATime = "Real agents";

    /// <summary>The same over the Agent Client Protocol.</summary>
    public const string OneAtATimeOverAcp = "Real agents over ACP";

    /// <summary>What is promised of one beyond the contract: the other two would be done long before a collection with these in it.</summary>
    public const string OneAtATimeBeyondTheContract = "Real agents, beyond the contract";

    private ScriptedModelServer? models;

    public ScriptedModelServer Models => models ?? throw new InvalidOperationException("The fixture is not initialized.");

    public override IReadOnlyList<string> ModelsCalled => Models.Calls.Select(call => $"{call.Provider}/{call.Body.GetProperty("model").GetString()}").ToList();

    protected override string Executable => AgentBinary.OpenCode();

    protected override Uri ModelBaseUrl => Models.BaseUrl;

    public override void Kill(IAgentRuntime runtime)
    {
        using var process = Process.GetProcessById(runtime.ProcessId);
        process.Kill(entireProcessTree: true);
    }

    public override async Task InitializeAsync() => models = await ScriptedModelServer.StartAsync();

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        if (models is not null) await models.DisposeAsync();
    }
}

public sealed class OpenCodeHarness : RealAgentHarness
{
    public override IAgentRuntime Create() => new OpenCodeRuntime(TimeProvider.System);
}
