using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.TenantVault;

/// <summary>What every vault promises.</summary>
public abstract class TenantVaultContract
{
    private const string Purpose = "models/openai";
    private static readonly byte[] Plaintext = Encoding.UTF8.GetBytes("canary-sk-2f8a1c");
    private readonly OrganizationId organization = OrganizationId.New(TimeProvider.System);

    protected abstract ITenantVault Vault { get; }

    /// <summary>The same installation after its master key was replaced; what <see cref="Vault"/> sealed is still in use.</summary>
    protected abstract ITenantVault Rotated();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(16 * 1024)]
    public async Task What_was_sealed_is_opened_for_the_same_organization_and_purpose(int length)
    {
        var plaintext = new byte[length];
        new Random(length).NextBytes(plaintext);

        var secret = await Vault.SealAsync(organization, Purpose, plaintext, default);

        Assert.Equal(plaintext, await Vault.OpenAsync(organization, Purpose, secret, default));
    }

    [Fact]
    public async Task A_ciphertext_of_one_organization_cannot_be_opened_as_another()
    {
        var secret = await Vault.SealAsync(organization, Purpose, Plaintext, default);

        await PortAssert.FailsAsync(PortFailureKind.Corrupt, () => Vault.OpenAsync(OrganizationId.New(TimeProvider.System), Purpose, secret, default));
    }

    [Fact]
    public async Task One_secrets_ciphertext_cannot_stand_in_for_another()
    {
        var secret = await Vault.SealAsync(organization, Purpose, Plaintext, default);

        await PortAssert.FailsAsync(PortFailureKind.Corrupt, () => Vault.OpenAsync(organization, "models/openaj", secret, default));
        await PortAssert.FailsAsync(PortFailureKind.Corrupt, () => Vault.OpenAsync(organization, string.Empty, secret, default));
    }

    [Fact]
    public async Task A_flipped_bit_anywhere_is_refused()
    {
        var secret = await Vault.SealAsync(organization, Purpose, Plaintext, default);

        for (var index = 0; index < secret.Ciphertext.Length; index++)
        {
            var changed = (byte[])secret.Ciphertext.Clone();
            changed[index] ^= (byte)(1 << (index % 8));
            await PortAssert.FailsAsync(PortFailureKind.Corrupt, () => Vault.OpenAsync(organization, Purpose, secret with { Ciphertext = changed }, default));
        }
    }

    [Fact]
    public async Task A_ciphertext_cut_short_or_made_longer_is_refused()
    {
        var secret = await Vault.SealAsync(organization, Purpose, Plaintext, default);

        for (var length = 0; length < secret.Ciphertext.Length; length++)
            await PortAssert.FailsAsync(PortFailureKind.Corrupt, () => Vault.OpenAsync(organization, Purpose, secret with { Ciphertext = secret.Ciphertext[..length] }, default));
        await PortAssert.FailsAsync(PortFailureKind.Corrupt, () => Vault.OpenAsync(organization, Purpose, secret with { Ciphertext = [.. secret.Ciphertext, 0] }, default));
    }

    [Fact]
    public async Task An_unknown_key_id_is_told_from_a_changed_secret()
    {
        var secret = await Vault.SealAsync(organization, Purpose, Plaintext, default);

        var failure = await PortAssert.FailsAsync(PortFailureKind.Rejected, () => Vault.OpenAsync(organization, Purpose, secret with { KeyId = "another" }, default));

        Assert.Equal(("secret_key_lost", ProblemKind.Unprocessable), (failure.Told?.Code, failure.Told?.Kind));
        Assert.Contains(Purpose, failure.Told!.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("another", failure.Told.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_the_master_key_was_replaced_old_secrets_open_and_new_ones_name_the_new_key()
    {
        var old = await Vault.SealAsync(organization, Purpose, Plaintext, default);

        var rotated = Rotated();
        var young = await rotated.SealAsync(organization, Purpose, Plaintext, default);

        Assert.Equal(Plaintext, await rotated.OpenAsync(organization, Purpose, old, default));
        Assert.Equal(Plaintext, await rotated.OpenAsync(organization, Purpose, young, default));
        Assert.NotEqual(old.KeyId, young.KeyId);
        await PortAssert.FailsAsync(PortFailureKind.Corrupt, () => rotated.OpenAsync(organization, Purpose, old with { KeyId = young.KeyId }, default));
    }

    [Fact]
    public async Task The_same_secret_sealed_twice_looks_different_and_shows_nothing_of_itself()
    {
        var first = await Vault.SealAsync(organization, Purpose, Plaintext, default);
        var second = await Vault.SealAsync(organization, Purpose, Plaintext, default);

        Assert.NotEqual(first.Ciphertext, second.Ciphertext);
        Assert.True(first.Ciphertext.AsSpan().IndexOf(Plaintext) < 0);
    }
}
