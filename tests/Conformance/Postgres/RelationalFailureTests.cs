using Coordinator.Adapters.Postgres;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Record;
using Coordinator.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>A database that is away shows as a port failure, whichever way a call goes to it.</summary>
public sealed class RelationalFailureTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private readonly OrganizationId organization = OrganizationId.New(TimeProvider.System);
    private readonly NpgsqlDataSource nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=nobody;Timeout=5");
    private ServiceProvider services = null!;

    public Task InitializeAsync()
    {
        services = new ServiceCollection().AddSingleton(nowhere).AddPostgresTenantDirectory().AddPostgresRunHistory().BuildServiceProvider();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await services.DisposeAsync();
        await nowhere.DisposeAsync();
    }

    [Fact]
    public async Task Through_EF_Core()
    {
        var failure = await PortAssert.FailsAsync(PortFailureKind.Unavailable, () => Directory.PutSecretAsync(organization, new("a", new("k", [1]), "", Now), default));

        Assert.False(failure.EffectMayHaveHappened);
        await PortAssert.FailsAsync(PortFailureKind.Unavailable, () => services.GetRequiredService<IRunHistory>().VerifyChainAsync(organization, SessionId.New(TimeProvider.System), default));
    }

    [Fact]
    public async Task Through_a_hand_written_change() =>
        await PortAssert.FailsAsync(PortFailureKind.Unavailable, () => Directory.ClaimRequestAsync(organization, "s", "k", new byte[32], Now, TimeSpan.FromSeconds(15), default));

    [Fact]
    public async Task A_caller_who_leaves_is_not_a_failure_of_the_database() =>
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Directory.FindCredentialAsync(CredentialKind.ApiKey, new byte[32], new CancellationToken(canceled: true)));

    private ITenantDirectory Directory => services.GetRequiredService<ITenantDirectory>();
}
