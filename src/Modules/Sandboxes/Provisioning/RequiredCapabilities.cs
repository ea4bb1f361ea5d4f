using Coordinator.Ports.Compute;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.Sandboxes.Provisioning;

/// <summary>What a deployment demands of whatever makes its boxes, and the sentence about what is lacking.</summary>
internal static class RequiredCapabilities
{
    private static readonly Dictionary<string, Predicate<SandboxCapabilities>> All = new(StringComparer.OrdinalIgnoreCase)
    {
        [nameof(SandboxCapabilities.KeepsData)] = can => can.KeepsData,
        [nameof(SandboxCapabilities.Snapshots)] = can => can.Snapshots,
        [nameof(SandboxCapabilities.EnforcesMemory)] = can => can.EnforcesMemory,
        [nameof(SandboxCapabilities.EnforcesEgress)] = can => can.EnforcesEgress,
    };

    public static IEnumerable<string> Names => All.Keys;

    public static bool IsKnown(string name) => All.ContainsKey(name);

    /// <summary>Null when the provider can do all that is required.</summary>
    public static string? WhatLacks(IEnumerable<string> required, SandboxCapabilities can, string provider)
    {
        var lacking = required.Where(name => All.TryGetValue(name, out var has) && !has(can)).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        return lacking.Count == 0 ? null : $"{SandboxesOptions.Section}:Requires demands {string.Join(", ", lacking)}, which the sandbox provider '{provider}' does not do as it is set up. Choose a provider that does (Sandbox:Provider), change its settings, or take it out of {SandboxesOptions.Section}:Requires.";
    }
}

/// <summary>
/// Refuses to start on a provider that is known to lack something; what cannot be told yet is asked at each create. The
/// provider is made only when it is asked, so that its own wrong settings do not hide those of others.
/// </summary>
internal sealed class RequiredCapabilitiesValidator(Func<ISandboxProvider> provider) : IValidateOptions<SandboxesOptions>
{
    public ValidateOptionsResult Validate(string? name, SandboxesOptions options)
    {
        if (options.Requires.Count == 0) return ValidateOptionsResult.Success;
        var maker = provider();
        return maker.Capabilities is { } can && RequiredCapabilities.WhatLacks(options.Requires, can, maker.Name) is { } lacking
            ? ValidateOptionsResult.Fail(lacking)
            : ValidateOptionsResult.Success;
    }
}
