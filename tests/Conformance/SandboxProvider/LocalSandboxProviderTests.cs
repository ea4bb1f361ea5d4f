using System.Runtime.Versioning;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>Real boxes under bubblewrap.</summary>
[SupportedOSPlatform("linux")]
public sealed class LocalSandboxProviderTests : SandboxProviderContract
{
    private protected override ISandboxRig Rig { get; } = new LocalRig();
}

/// <summary>Real boxes where control groups cannot be made, as for an ordinary user.</summary>
[SupportedOSPlatform("linux")]
public sealed class LocalSandboxProviderWithoutCgroupsTests : SandboxProviderContract
{
    private protected override ISandboxRig Rig { get; } = new LocalRig(("Cgroups", "Off"));
}
