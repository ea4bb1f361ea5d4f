using System.Security.Cryptography;
using Coordinator.Adapters.Acp;
using Coordinator.Adapters.OpenCode.Launch;
using Coordinator.Ports.Compute;
using Xunit;

namespace Coordinator.Tests.Conformance.AgentRuntime;

/// <summary>The contract on a real OpenCode, driven over the Agent Client Protocol; its model is scripted.</summary>
[Collection(RealAgentHarness.OneAtATimeOverAcp)]
public sealed class AcpRuntimeTests(AcpHarness harness) : AgentRuntimeContract(harness), IClassFixture<AcpHarness>;

public sealed class AcpHarness : RealAgentHarness
{
    private static readonly AcpAgentProfile OpenCode = new("opencode", ["acp"], Prepare, model => OpenCodeModelName.Of(model).ToString());

    public override IAgentRuntime Create() => new AcpRuntime(OpenCode, TimeProvider.System);

    private static IReadOnlyDictionary<string, string> Prepare(AgentLaunch launch, IReadOnlyList<AgentModel> models)
    {
        OpenCodeHome.Seed(launch);
        return OpenCodeEnvironment.Build(launch, models, Convert.ToHexString(RandomNumberGenerator.GetBytes(24)));
    }
}
