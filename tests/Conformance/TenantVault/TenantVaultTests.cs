using Coordinator.Fakes;
using Coordinator.Ports.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace Coordinator.Tests.Conformance.TenantVault;

public sealed class HkdfTenantVaultTests : TenantVaultContract
{
    private static readonly string Key = LocalIdentityHost.NewKey();

    protected override ITenantVault Vault { get; } = LocalIdentityHost.WithKeys(Key).GetRequiredService<ITenantVault>();

    protected override ITenantVault Rotated() => LocalIdentityHost.WithKeys(LocalIdentityHost.NewKey(), Key).GetRequiredService<ITenantVault>();
}

public sealed class InMemoryTenantVaultTests : TenantVaultContract
{
    private readonly InMemoryTenantVault vault = new();

    protected override ITenantVault Vault => vault;

    protected override ITenantVault Rotated()
    {
        vault.Rotate();
        return vault;
    }
}
