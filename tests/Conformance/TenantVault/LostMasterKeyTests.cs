using System.Runtime.Versioning;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Coordinator.Tests.Conformance.TenantVault;

/// <summary>A host whose master key is not the one that its database's secrets are sealed under: it says so, serves nothing and makes nothing.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class LostMasterKeyTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("coordinator-lost-key-").FullName;
    private readonly CapturedLog log = new();
    private readonly Counts sealing = new();

    private string KeyFile => Path.Combine(folder, "master.key");

    public void Dispose()
    {
        log.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Beside_sealed_secrets_no_new_key_is_made_and_the_host_goes_on_when_the_old_one_is_back()
    {
        var (text, id) = await SealOneAsync();
        File.Delete(KeyFile);
        var keys = Host();

        var refusal = await PortAssert.FailsAsync(PortFailureKind.Unavailable, () => Start(keys));

        Assert.Empty(Directory.GetFileSystemEntries(folder));
        Assert.Equal(refusal.Message, await keys.CheckAsync(default));
        Assert.Contains(KeyFile, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(id, refusal.Message, StringComparison.Ordinal);
        Assert.Single(Errors(), line => line.Contains(KeyFile, StringComparison.Ordinal));

        PutKey("half a k");
        await PortAssert.FailsAsync(PortFailureKind.Unavailable, () => Start(keys));
        PutKey(text);
        await Start(keys);
        Assert.Null(await keys.CheckAsync(default));
        Assert.DoesNotContain(text.Trim(), log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_opens_none_of_the_secrets_is_not_served_with()
    {
        var (_, id) = await SealOneAsync();
        var mistyped = LocalIdentityHost.NewKey();
        PutKey(mistyped);

        var refusal = await PortAssert.FailsAsync(PortFailureKind.Unavailable, () => Start(Host()));
        var configured = await PortAssert.FailsAsync(PortFailureKind.Unavailable, () => Start(Host(("Vault:MasterKey", mistyped))));

        Assert.Contains(id, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Vault:MasterKey", configured.Message, StringComparison.Ordinal);
        Assert.Equal(mistyped, File.ReadAllText(KeyFile));
        Assert.DoesNotContain(mistyped, log.Text + refusal.Message + configured.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_is_given_up_by_its_id_is_done_without()
    {
        var (_, id) = await SealOneAsync();
        File.Delete(KeyFile);

        await Start(Host(("Vault:LostKeys:0", id)));

        Assert.True(File.Exists(KeyFile));
        sealing.Of["another"] = 1;
        File.Delete(KeyFile);
        await PortAssert.FailsAsync(PortFailureKind.Unavailable, () => Start(Host(("Vault:LostKeys:0", id))));
        Assert.False(File.Exists(KeyFile));
    }

    [Fact]
    public async Task Where_some_secrets_open_the_host_serves_and_says_which_key_the_others_need()
    {
        await SealOneAsync();
        sealing.Of["0a1b2c3d"] = 3;
        var keys = Host();

        await Start(keys);

        Assert.Null(await keys.CheckAsync(default));
        Assert.Single(Errors(), line => line.Contains("0a1b2c3d", StringComparison.Ordinal) && line.Contains(KeyFile, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_disk_without_room_for_the_key_is_waited_for_and_no_wrong_setting()
    {
        sealing.Failure = new IOException("No space left on device", 28);
        var keys = Host();

        var full = await PortAssert.FailsAsync(PortFailureKind.Full, () => Start(keys));
        Assert.StartsWith($"The disk of the key file {KeyFile} is full", full.Message, StringComparison.Ordinal);

        sealing.Failure = null;
        await Start(keys);
        Assert.True(File.Exists(KeyFile));
    }

    private async Task<(string Text, string Id)> SealOneAsync()
    {
        var secret = await (await LocalIdentityHost.StartedAsync(KeyFile)).GetRequiredService<ITenantVault>().SealAsync(default, "p", "canary"u8.ToArray(), default);
        sealing.Of[secret.KeyId] = 1;
        return (File.ReadAllText(KeyFile), secret.KeyId);
    }

    private IHostDependency Host(params (string Name, string Value)[] more) =>
        LocalIdentityHost.With([new("Vault:KeyFile", KeyFile), .. more.Select(one => KeyValuePair.Create(one.Name, (string?)one.Value))], sealing: sealing, log: log).GetRequiredService<IHostDependency>();

    private static ValueTask Start(IHostDependency keys) => new(keys.StartAsync(default));

    private void PutKey(string text)
    {
        File.WriteAllText(KeyFile, text, new UTF8Encoding(false));
        File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private IEnumerable<string> Errors() => log.Text.Split('\n').Where(line => line.StartsWith("Error", StringComparison.Ordinal));

    private sealed class Counts : ISealingKeys
    {
        public Dictionary<string, long> Of { get; } = new(StringComparer.Ordinal);

        public Exception? Failure { get; set; }

        public ValueTask<IReadOnlyDictionary<string, long>> CountSecretsAsync(CancellationToken cancellationToken) => Failure is null ? new(Of) : throw Failure;
    }
}
