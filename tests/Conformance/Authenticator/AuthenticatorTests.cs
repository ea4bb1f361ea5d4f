using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Conformance.TenantDirectory;
using Coordinator.Tests.Conformance.TenantVault;
using Coordinator.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Coordinator.Tests.Conformance.Authenticator;

public sealed class InMemoryAuthenticatorTests : AuthenticatorContract
{
    public InMemoryAuthenticatorTests() => Authenticator = new InMemoryAuthenticator(Harness.Directory, Time);

    protected override ITenantDirectoryHarness Harness { get; } = new InMemoryDirectoryHarness();

    protected override IAuthenticator Authenticator { get; }

    protected override ManualTime Time { get; } = new();
}

public sealed class LocalAuthenticatorTests : AuthenticatorContract
{
    public LocalAuthenticatorTests() => Authenticator = LocalIdentityHost.With([], Time, Harness.Directory).GetRequiredService<IAuthenticator>();

    protected override ITenantDirectoryHarness Harness { get; } = new InMemoryDirectoryHarness();

    protected override IAuthenticator Authenticator { get; }

    protected override ManualTime Time { get; } = new();

    [Fact]
    public async Task When_the_directory_is_down_nothing_is_decided()
    {
        var directory = new InMemoryTenantDirectory(Time);
        var authenticator = LocalIdentityHost.With([], Time, directory).GetRequiredService<IAuthenticator>();
        var link = await authenticator.IssueSignInLinkAsync(directory.AddUser("Ada"), TimeSpan.FromHours(1), default);
        directory.Faults.FailBefore(PortFailureKind.Unavailable, calls: 1);

        await PortAssert.FailsAsync(PortFailureKind.Unavailable, () => authenticator.AuthenticateAsync(new(CredentialKind.SignInLink, link.Secret), default));

        Assert.True((await authenticator.AuthenticateAsync(new(CredentialKind.SignInLink, link.Secret), default)).IsSuccess);
    }
}

public sealed class LocalAuthenticatorOnPostgresTests : AuthenticatorContract, IClassFixture<PostgresFixture>
{
    public LocalAuthenticatorOnPostgresTests(PostgresFixture postgres)
    {
        Harness = new PostgresDirectoryHarness(postgres);
        Authenticator = LocalIdentityHost.With([], Time, Harness.Directory).GetRequiredService<IAuthenticator>();
    }

    protected override ITenantDirectoryHarness Harness { get; }

    protected override IAuthenticator Authenticator { get; }

    protected override ManualTime Time { get; } = new();
}
