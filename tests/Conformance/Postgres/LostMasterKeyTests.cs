using System.Net;
using System.Runtime.Versioning;
using System.Text;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>A whole host that comes to its database without the master key, as its operator and its callers see it.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class LostMasterKeyTests : IAsyncLifetime
{
    private readonly PostgresFixture database = new();
    private readonly string folder = Directory.CreateTempSubdirectory("coordinator-lost-key-").FullName;

    private string KeyFile => Path.Combine(folder, "master.key");

    public Task InitializeAsync() => database.InitializeAsync();

    public async Task DisposeAsync()
    {
        await database.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Its_host_is_not_ready_and_says_why_and_serves_when_the_key_is_back()
    {
        await using (var first = await StartAsync())
        {
            await HostOnDatabase.UntilAsync(HttpStatusCode.OK, () => first.GetAsync("/health/ready"));
            await HostOnDatabase.UntilAsync(HttpStatusCode.Unauthorized, () => first.GetAsync("/v1/sessions"));
            await SealAsync(first.Services);
        }

        var aside = KeyFile + ".aside";
        File.Move(KeyFile, aside);
        await using var second = await StartAsync();
        var told = default(JsonElement);
        await Eventually.HoldsAsync(async () =>
        {
            told = JsonDocument.Parse((await second.GetAsync("/health/ready")).Body).RootElement.GetProperty("dependencies").EnumerateArray().Single(one => one.GetProperty("name").GetString() == "keys");
            return !told.GetProperty("ready").GetBoolean();
        }, "that the host says that it has no key");

        Assert.Contains(KeyFile, told.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "host_starting"), ((await second.GetAsync("/v1/sessions")).Status, (await second.GetAsync("/v1/sessions")).Code));
        Assert.False(File.Exists(KeyFile));

        File.Move(aside, KeyFile);
        await HostOnDatabase.UntilAsync(HttpStatusCode.Unauthorized, () => second.GetAsync("/v1/sessions"));
        await HostOnDatabase.UntilAsync(HttpStatusCode.OK, () => second.GetAsync("/health/ready"));
    }

    [Fact]
    public async Task What_ends_a_host_ends_it_also_while_its_database_is_away()
    {
        Assert.Equal(78, await HostOnDatabase.RunAsync("Host=127.0.0.1;Port=1;Username=nobody;Database=nowhere;Timeout=2", DamageAsync, $"--Vault:KeyFile={KeyFile}"));

        async Task DamageAsync()
        {
            await File.WriteAllTextAsync(KeyFile, "no key at all");
            File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    private Task<HostOnDatabase> StartAsync() => HostOnDatabase.StartAsync(database.ConnectionString, $"--Vault:KeyFile={KeyFile}");

    private static async Task SealAsync(IServiceProvider services)
    {
        var directory = services.GetRequiredService<ITenantDirectory>();
        var owner = await directory.EnsureOwnerAsync(default);
        var secret = await services.GetRequiredService<ITenantVault>().SealAsync(owner.Organization, "models/acme", Encoding.UTF8.GetBytes("canary"), default);
        await directory.PutSecretAsync(owner.Organization, new("models/acme", secret, string.Empty, DateTimeOffset.UnixEpoch), default);
    }
}
