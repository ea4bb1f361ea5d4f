namespace Coordinator.Tests.Conformance.TenantDirectory;

public sealed class InMemoryTenantDirectoryTests : TenantDirectoryContract
{
    protected override ITenantDirectoryHarness Harness { get; } = new InMemoryDirectoryHarness();
}

public sealed class InMemoryCredentialStoreTests : CredentialStoreContract
{
    protected override ITenantDirectoryHarness Harness { get; } = new InMemoryDirectoryHarness();
}

public sealed class InMemorySecretStoreTests : SecretStoreContract
{
    protected override ITenantDirectoryHarness Harness { get; } = new InMemoryDirectoryHarness();
}

public sealed class InMemoryRequestMemoryTests : RequestMemoryContract
{
    protected override ITenantDirectoryHarness Harness { get; } = new InMemoryDirectoryHarness();
}
