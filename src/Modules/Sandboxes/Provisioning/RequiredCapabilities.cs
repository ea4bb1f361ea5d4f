using Coordinator.Ports.Compute;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.Sandboxes.Provisioning;

/// <summary>
/// Refuses to start on a provider that is known to lack something; what cannot be told yet goes along with each create. The
/// provider is made only when it is asked, so that its own wrong settings do not hide those of others.
/// </summary>
internal sealed class RequiredCapabilitiesValidator(Func<ISandboxProvider> provider) : IValidateOptions<SandboxesOptions>
{
    public ValidateOptionsResult Validate(string? name, SandboxesOptions options)
    {
        if (options.Requires.Count == 0) return ValidateOptionsResult.Success;
        var maker = provider();
        return maker.Capabilities?.Lacks(options.Required) is [_, ..] lacking
            ? ValidateOptionsResult.Fail($"{SandboxesOptions.Section}:Requires demands {string.Join(", ", lacking)}, which the sandbox provider '{maker.Name}' does not do as it is set up. Choose a provider that does (Sandbox:Provider), change its settings, or take it out of {SandboxesOptions.Section}:Requires.")
            : ValidateOptionsResult.Success;
    }
}
