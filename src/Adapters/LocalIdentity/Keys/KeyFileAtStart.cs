using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.LocalIdentity;

/// <summary>
/// Reads a key file that is there when the host's settings are validated: one that cannot be used is named with all else that
/// is wrong. One that is not there yet is made when the keys are first needed.
/// </summary>
internal sealed class KeyFileAtStart(IOptions<VaultOptions> vault) : IValidateOptions<KeyFileAtStart.Checked>
{
    /// <summary>Stands for the file among what is validated at the start.</summary>
    internal sealed class Checked;

    public ValidateOptionsResult Validate(string? name, Checked options)
    {
        try
        {
            return string.IsNullOrWhiteSpace(vault.Value.MasterKey) && FaultOf(vault.Value.KeyFile) is { } fault ? ValidateOptionsResult.Fail($"Vault:KeyFile: {fault}") : ValidateOptionsResult.Success;
        }
        catch (OptionsValidationException)
        {
            return ValidateOptionsResult.Success; // the section itself is wrong, which its own validation says
        }
    }

    private static string? FaultOf(string path)
    {
        try
        {
            MasterKeyFile.Read(path);
            return null;
        }
        catch (Exception failure) when (failure is InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            return failure.Message;
        }
    }
}
