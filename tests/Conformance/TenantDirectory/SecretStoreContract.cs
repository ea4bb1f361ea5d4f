using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.TenantDirectory;

/// <summary>What every tenant directory promises about the sealed secrets it stores.</summary>
public abstract class SecretStoreContract
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    protected abstract ITenantDirectoryHarness Harness { get; }

    private ITenantDirectory Directory => Harness.Directory;

    [Fact]
    public async Task A_secret_is_read_as_it_was_written_and_replaced_by_the_next()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        await Directory.PutSecretAsync(organization, Secret("models/openai", 1), default);
        await Directory.PutSecretAsync(organization, new("models/openai", new("key-2", [0, 255, 2]), "wxyz", Now.AddHours(1)), default);

        var found = await Directory.FindSecretAsync(organization, "models/openai", default);

        Assert.NotNull(found);
        Assert.Equal(("models/openai", "wxyz", Now.AddHours(1), "key-2"), (found.Name, found.Hint, found.UpdatedAt, found.Sealed.KeyId));
        Assert.Equal([0, 255, 2], found.Sealed.Ciphertext);
        Assert.Single(await Directory.ListSecretsAsync(organization, default));
    }

    [Fact]
    public async Task Secrets_are_listed_by_name()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        foreach (var name in (string[])["models/openai", "git/github.com", "a_b", "a-b", "a.b"]) await Directory.PutSecretAsync(organization, Secret(name, 1), default);

        var listed = await Directory.ListSecretsAsync(organization, default);

        Assert.Equal(["a-b", "a.b", "a_b", "git/github.com", "models/openai"], listed.Select(secret => secret.Name));
    }

    [Fact]
    public async Task A_deleted_secret_is_gone_and_deleting_it_again_says_so()
    {
        var organization = await Harness.AddOrganizationAsync("Acme");
        await Directory.PutSecretAsync(organization, Secret("git/github.com", 1), default);

        Assert.True(await Directory.DeleteSecretAsync(organization, "git/github.com", default));
        Assert.False(await Directory.DeleteSecretAsync(organization, "git/github.com", default));
        Assert.Null(await Directory.FindSecretAsync(organization, "git/github.com", default));
    }

    [Fact]
    public async Task Another_tenants_secret_is_as_if_it_did_not_exist()
    {
        var own = await Harness.AddOrganizationAsync("Acme");
        var foreign = await Harness.AddOrganizationAsync("Evil");
        await Directory.PutSecretAsync(own, Secret("models/openai", 1), default);

        Assert.Null(await Directory.FindSecretAsync(foreign, "models/openai", default));
        Assert.Empty(await Directory.ListSecretsAsync(foreign, default));
        Assert.False(await Directory.DeleteSecretAsync(foreign, "models/openai", default));
        await Directory.PutSecretAsync(foreign, Secret("models/openai", 9), default);
        Assert.Equal([1], (await Directory.FindSecretAsync(own, "models/openai", default))!.Sealed.Ciphertext);
    }

    [Fact]
    public async Task An_organization_that_is_not_there_keeps_no_secret() =>
        await PortAssert.FailsAsync(PortFailureKind.Rejected, () => Directory.PutSecretAsync(OrganizationId.New(TimeProvider.System), Secret("models/openai", 1), default));

    private static StoredSecret Secret(string name, byte content) => new(name, new("key-1", [content]), "abcd", Now);
}
