using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.LocalIdentity;

/// <summary>Refuses a vault section that cannot work, naming every fault and never the key.</summary>
internal sealed class VaultOptionsValidator : IValidateOptions<VaultOptions>
{
    public ValidateOptionsResult Validate(string? name, VaultOptions options)
    {
        var faults = new List<string>();
        var configured = !string.IsNullOrWhiteSpace(options.MasterKey);
        if (configured && MasterKey.FromBase64(options.MasterKey!) is null) faults.Add("Vault:MasterKey is not base64 of 32 bytes; make one with: openssl rand -base64 32");
        for (var i = 0; i < options.PreviousMasterKeys.Count; i++)
        {
            if (MasterKey.FromBase64(options.PreviousMasterKeys[i]) is null) faults.Add($"Vault:PreviousMasterKeys:{i} is not base64 of 32 bytes.");
        }

        if (!configured && options.PreviousMasterKeys.Count > 0) faults.Add("Vault:PreviousMasterKeys is set but Vault:MasterKey is not: add replaced keys below the present one in Vault:KeyFile instead.");
        if (!configured && string.IsNullOrWhiteSpace(options.KeyFile)) faults.Add("Neither Vault:MasterKey nor Vault:KeyFile is set.");
        return faults.Count > 0 ? ValidateOptionsResult.Fail(faults) : ValidateOptionsResult.Success;
    }
}
