using System.Runtime.Versioning;
using System.Text;
using Coordinator.Adapters.LocalIdentity;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.TenantVault;

/// <summary>Where the master key comes from, and what is refused as one.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class MasterKeyTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("coordinator-keys-").FullName;

    public MasterKeyTests() => Directory.CreateDirectory(Path.GetDirectoryName(KeyFile)!);

    private string KeyFile => Path.Combine(folder, "deeper", "master.key");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Without_a_configured_key_one_is_made_once_that_only_its_owner_can_read()
    {
        var secret = await Vault(await LocalIdentityHost.StartedAsync(KeyFile)).SealAsync(default, "p", "canary"u8.ToArray(), default);

        Assert.Equal("canary", Encoding.UTF8.GetString(await Vault(LocalIdentityHost.WithKeyFile(KeyFile)).OpenAsync(default, "p", secret, default)));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyFile));
        Assert.Equal([KeyFile], Directory.GetFiles(Path.GetDirectoryName(KeyFile)!));
    }

    [Fact]
    public async Task Hosts_that_start_at_the_same_moment_agree_on_one_key()
    {
        var keyIds = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(async () =>
            (await Vault(await LocalIdentityHost.StartedAsync(KeyFile)).SealAsync(default, "p", "x"u8.ToArray(), default)).KeyId)));

        Assert.Single(keyIds.Distinct());
    }

    [Fact]
    public async Task Keys_below_the_first_line_of_the_file_open_and_do_not_seal()
    {
        var secret = await Vault(await LocalIdentityHost.StartedAsync(KeyFile)).SealAsync(default, "p", "canary"u8.ToArray(), default);
        File.WriteAllText(KeyFile, $"{LocalIdentityHost.NewKey()}\n{File.ReadAllText(KeyFile)}");

        var rotated = Vault(LocalIdentityHost.WithKeyFile(KeyFile));

        Assert.Equal("canary", Encoding.UTF8.GetString(await rotated.OpenAsync(default, "p", secret, default)));
        Assert.NotEqual(secret.KeyId, (await rotated.SealAsync(default, "p", "x"u8.ToArray(), default)).KeyId);
    }

    [Theory]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.OtherWrite)]
    [InlineData(UnixFileMode.GroupWrite)]
    public async Task A_key_file_that_others_may_read_or_change_is_refused(UnixFileMode open)
    {
        await LocalIdentityHost.StartedAsync(KeyFile);
        File.SetUnixFileMode(KeyFile, File.GetUnixFileMode(KeyFile) | open);

        var refusal = await PortAssert.FailsAsync(PortFailureKind.Rejected, async () => await LocalIdentityHost.StartedAsync(KeyFile));

        Assert.Contains("chmod 600", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not base64 at all")]
    [InlineData("c2hvcnQ=")]
    public async Task A_key_file_that_holds_something_else_is_refused_and_not_replaced(string content)
    {
        File.WriteAllText(KeyFile, content);
        File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        await PortAssert.FailsAsync(PortFailureKind.Rejected, async () => await LocalIdentityHost.StartedAsync(KeyFile));

        Assert.Equal(content, File.ReadAllText(KeyFile));
    }

    [Fact]
    public async Task A_key_that_cannot_be_used_ends_the_start_of_the_host_and_not_its_first_secret()
    {
        File.WriteAllText(KeyFile, "canary");
        File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var dependency = LocalIdentityHost.WithKeyFile(KeyFile).GetRequiredService<IHostDependency>();

        var refusal = await PortAssert.FailsAsync(PortFailureKind.Rejected, () => new ValueTask(dependency.StartAsync(default)));

        Assert.True(dependency.IsRequired);
        Assert.DoesNotContain("canary", refusal.Message, StringComparison.Ordinal);
        await LocalIdentityHost.WithKeys(LocalIdentityHost.NewKey()).GetRequiredService<IHostDependency>().StartAsync(default);
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_not_made_and_ends_the_start()
    {
        var file = Path.Combine(folder, "not-mounted", "key");

        var refusal = await PortAssert.FailsAsync(PortFailureKind.Rejected, async () => await LocalIdentityHost.StartedAsync(file));

        Assert.Contains(file, refusal.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.GetDirectoryName(file)));
    }

    [Fact]
    public void A_section_that_cannot_work_names_all_its_faults_and_no_key()
    {
        KeyValuePair<string, string?>[] settings = [new("Vault:MasterKey", "canary-not-a-key"), new("Vault:PreviousMasterKeys:0", LocalIdentityHost.NewKey()), new("Vault:PreviousMasterKeys:1", "canary-neither")];

        var refusal = Assert.Throws<OptionsValidationException>(() => LocalIdentityHost.With(settings).GetRequiredService<IOptions<VaultOptions>>().Value);

        Assert.Equal(2, refusal.Failures.Count());
        Assert.DoesNotContain("canary", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Replaced_keys_without_a_present_one_are_refused()
    {
        var refusal = Assert.Throws<OptionsValidationException>(() =>
            LocalIdentityHost.With([new("Vault:PreviousMasterKeys:0", LocalIdentityHost.NewKey())]).GetRequiredService<IOptions<VaultOptions>>().Value);

        Assert.Contains("Vault:MasterKey is not", refusal.Message, StringComparison.Ordinal);
    }

    private static ITenantVault Vault(IServiceProvider host) => host.GetRequiredService<ITenantVault>();
}
