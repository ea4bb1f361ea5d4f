namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class AgentRuntimeFaults
{
    public override string WhyNotOnReal => "An agent is a process beside the program that drives it; its contract crashes the real ones and refuses them their model.";
}

public sealed partial class ArtifactStoreFaults
{
    public override string WhyNotOnReal => "The file system is not reached over a network; its contract tests play a full and a failing one.";
}
