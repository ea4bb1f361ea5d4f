using Coordinator.Ports.Compute;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.Sandboxes.Provisioning;

/// <summary>
/// Refuses to start on a provider that is known to lack something; what cannot be told yet goes along with each create. A
/// provider whose own settings are wrong cannot be asked, and must not hide what else is wrong here. What is said once, at the
/// start, stands: options are validated again wherever they are first used, when one machine of several may have told
/// that it lacks what the others do, which is no reason to make no box at all.
/// </summary>
internal sealed class RequiredCapabilitiesValidator(Func<ISandboxProvider> provider) : IValidateOptions<SandboxesOptions>
{
    private readonly Lock gate = new();
    private ValidateOptionsResult? said;

    public ValidateOptionsResult Validate(string? name, SandboxesOptions options)
    {
        lock (gate) return said ??= Judge(options);
    }

    private ValidateOptionsResult Judge(SandboxesOptions options)
    {
        if (options.Requires.Count == 0) return ValidateOptionsResult.Success;
        ISandboxProvider maker;
        try
        {
            maker = provider();
        }
        catch (OptionsValidationException)
        {
            // Its own validation names what is wrong with it.
            return ValidateOptionsResult.Skip;
        }

        return maker.Capabilities?.Lacks(options.Required) is [_, ..] lacking
            ? ValidateOptionsResult.Fail($"{SandboxesOptions.Section}:Requires demands {string.Join(", ", lacking)}, which the sandbox provider '{maker.Name}' does not do as it is set up. Choose a provider that does (Sandbox:Provider), change its settings, or take it out of {SandboxesOptions.Section}:Requires.")
            : ValidateOptionsResult.Success;
    }
}
