using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.TenantDirectory;

public sealed class PostgresTenantDirectoryTests(PostgresFixture postgres) : TenantDirectoryContract, IClassFixture<PostgresFixture>
{
    protected override ITenantDirectoryHarness Harness { get; } = new PostgresDirectoryHarness(postgres);
}

public sealed class PostgresCredentialStoreTests(PostgresFixture postgres) : CredentialStoreContract, IClassFixture<PostgresFixture>
{
    protected override ITenantDirectoryHarness Harness { get; } = new PostgresDirectoryHarness(postgres);
}

public sealed class PostgresSecretStoreTests(PostgresFixture postgres) : SecretStoreContract, IClassFixture<PostgresFixture>
{
    protected override ITenantDirectoryHarness Harness { get; } = new PostgresDirectoryHarness(postgres);
}

public sealed class PostgresRequestMemoryTests(PostgresFixture postgres) : RequestMemoryContract, IClassFixture<PostgresFixture>
{
    protected override ITenantDirectoryHarness Harness { get; } = new PostgresDirectoryHarness(postgres);
}
