using System.Runtime.Versioning;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>Real boxes of a sandbox host, over real HTTP.</summary>
[SupportedOSPlatform("linux")]
public sealed class ModalSandboxProviderTests : SandboxProviderContract
{
    private readonly ModalRig rig = new();

    private protected override ISandboxRig Rig => rig;

    protected override bool KnowsItsMachines => true;

    public override Task InitializeAsync() => rig.StartAsync();
}
