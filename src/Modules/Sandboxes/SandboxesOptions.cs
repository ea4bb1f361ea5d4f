using Coordinator.Ports.Compute;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.Sandboxes;

/// <summary>Section <c>Sandbox</c>: what boxes are made with, whatever makes them.</summary>
public sealed class SandboxesOptions
{
    public const string Section = "Sandbox";

    /// <summary>
    /// Names this deployment in the labels of its boxes, so that two that share a provider do not sweep each other's.
    /// All hosts of one deployment have the same.
    /// </summary>
    public string Deployment { get; set; } = "default";

    /// <summary>Memory of a box, in bytes.</summary>
    public long MemoryBytes { get; set; } = SandboxResources.Default.MemoryBytes;

    /// <summary>Processes and threads of a box.</summary>
    public int Processes { get; set; } = SandboxResources.Default.Processes;

    /// <summary>Cores of a box.</summary>
    public double Cpus { get; set; } = SandboxResources.Default.Cpus;

    /// <summary>Disk of a box, in bytes.</summary>
    public long DiskBytes { get; set; } = SandboxResources.Default.DiskBytes;

    /// <summary>How long a provider may take for one call.</summary>
    public int ProviderSeconds { get; set; } = 60;

    /// <summary>
    /// How long the workspace and home of a session that the database does not know are kept, from when a host first missed it; a restart of the
    /// host begins anew. Its box is ended at once. Keep it longer than it takes to notice a wrong or an empty database.
    /// </summary>
    public TimeSpan KeepUnknownData { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// What must be able to be done where a box is made, of <c>KeepsData</c>, <c>Snapshots</c>, <c>EnforcesMemory</c> and <c>EnforcesEgress</c>. A
    /// provider that cannot keeps the host from starting; of several machines only those that can make boxes, and where none can, none is made
    /// (<c>sandbox_capability_missing</c>).
    /// </summary>
    public List<string> Requires { get; } = [];

    internal SandboxCapabilities Required => SandboxCapabilities.Of(Requires);

    internal SandboxResources Resources => new(MemoryBytes, Processes, Cpus, DiskBytes);
}

/// <summary>Names every wrong setting at once.</summary>
internal sealed class SandboxesOptionsValidator : IValidateOptions<SandboxesOptions>
{
    private const long LeastMemory = 64L * 1024 * 1024;

    public ValidateOptionsResult Validate(string? name, SandboxesOptions options)
    {
        List<string> wrong = [];
        if (options.Deployment.Length is 0 or > 64) wrong.Add($"Deployment must have 1 to 64 characters, not {options.Deployment.Length}");
        if (options.MemoryBytes < LeastMemory) wrong.Add($"MemoryBytes must be at least {LeastMemory}, not {options.MemoryBytes}");
        if (options.Processes < 16) wrong.Add($"Processes must be at least 16, not {options.Processes}");
        if (options.Cpus is < 0.1 or double.NaN) wrong.Add($"Cpus must be at least 0.1, not {options.Cpus}");
        if (options.DiskBytes < LeastMemory) wrong.Add($"DiskBytes must be at least {LeastMemory}, not {options.DiskBytes}");
        if (options.ProviderSeconds < 1) wrong.Add($"ProviderSeconds must be at least 1, not {options.ProviderSeconds}");
        if (options.KeepUnknownData < TimeSpan.Zero) wrong.Add($"KeepUnknownData must not be negative, as {options.KeepUnknownData} is");
        foreach (var unknown in options.Requires.Except(SandboxCapabilities.Names, StringComparer.OrdinalIgnoreCase))
            wrong.Add($"Requires: there is no capability '{unknown}'; there are {string.Join(", ", SandboxCapabilities.Names)}");
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong.Select(text => $"{SandboxesOptions.Section}: {text}."));
    }
}
