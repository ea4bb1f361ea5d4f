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

/// <summary>Plain processes, where bubblewrap is missing and an operator said to go on without it.</summary>
[SupportedOSPlatform("linux")]
public sealed class LocalSandboxProviderUnisolatedTests : SandboxProviderContract
{
    private protected override ISandboxRig Rig { get; } = new LocalRig(("Bubblewrap", "bubblewrap-that-is-not-there"), ("AllowUnisolated", "true"));
}

/// <summary>Plain processes without control groups: nothing but the mark in their environment holds them together.</summary>
[SupportedOSPlatform("linux")]
public sealed class LocalSandboxProviderUnisolatedWithoutCgroupsTests : SandboxProviderContract
{
    private protected override ISandboxRig Rig { get; } = new LocalRig(("Bubblewrap", "bubblewrap-that-is-not-there"), ("AllowUnisolated", "true"), ("Cgroups", "Off"));
}
