using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Xunit;

namespace Coordinator.Tests.Conformance.ArtifactStore;

/// <summary>What <see cref="IArtifactStore"/> promises, for every implementation of it.</summary>
public abstract class ArtifactStoreContract
{
    private const long Ample = 64 * 1024 * 1024;

    private static readonly OrganizationId Mine = OrganizationId.New(TimeProvider.System);
    private static readonly OrganizationId Theirs = OrganizationId.New(TimeProvider.System);

    private protected abstract IArtifactStore Store { get; }

    /// <summary>Nothing of an unfinished or refused blob is left.</summary>
    private protected abstract bool HoldsNothing { get; }

    [Fact]
    public async Task What_was_put_is_read_back()
    {
        var bytes = RandomNumberGenerator.GetBytes(300_000);

        var stored = await PutAsync(Mine, bytes);

        Assert.Equal(new ArtifactInfo(HashOf(bytes), bytes.Length), stored.Value);
        Assert.Equal(bytes, await ReadAsync(Mine, HashOf(bytes)));
    }

    [Fact]
    public async Task An_empty_blob_is_a_blob()
    {
        await PutAsync(Mine, []);

        Assert.Empty(await ReadAsync(Mine, HashOf([])));
    }

    [Fact]
    public async Task Putting_it_again_changes_nothing()
    {
        var bytes = Bytes("twice");
        await PutAsync(Mine, bytes);

        Assert.True((await PutAsync(Mine, bytes)).IsSuccess);
        Assert.Equal(bytes, await ReadAsync(Mine, HashOf(bytes)));
    }

    [Fact]
    public async Task Many_may_put_the_same_at_once()
    {
        var bytes = RandomNumberGenerator.GetBytes(100_000);

        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => PutAsync(Mine, bytes))));

        Assert.All(all, stored => Assert.True(stored.IsSuccess));
        Assert.Equal(bytes, await ReadAsync(Mine, HashOf(bytes)));
    }

    [Fact]
    public async Task The_same_content_of_another_organization_is_another_blob()
    {
        var bytes = Bytes("shared");
        await PutAsync(Mine, bytes);

        Assert.Null(await Store.OpenAsync(Theirs, HashOf(bytes), default));
        await PutAsync(Theirs, bytes);
        await Store.DeleteAsync(Mine, HashOf(bytes), default);
        Assert.Equal(bytes, await ReadAsync(Theirs, HashOf(bytes)));
    }

    [Fact]
    public async Task Bytes_that_are_not_what_the_hash_names_are_refused_and_gone()
    {
        var stored = await Store.PutAsync(Mine, HashOf(Bytes("right")), new MemoryStream(Bytes("wrong")), Ample, default);

        Assert.Equal("artifact_hash_mismatch", stored.Problem?.Code);
        Assert.Null(await Store.OpenAsync(Mine, HashOf(Bytes("right")), default));
        Assert.True(HoldsNothing);
    }

    [Fact]
    public async Task A_blob_beyond_the_bound_is_refused_and_gone()
    {
        var bytes = new byte[1_001];

        var stored = await Store.PutAsync(Mine, HashOf(bytes), new MemoryStream(bytes), 1_000, default);

        Assert.Equal("artifact_too_large", stored.Problem?.Code);
        Assert.Equal(ProblemKind.TooLarge, stored.Problem?.Kind);
        Assert.True(HoldsNothing);
    }

    [Fact]
    public async Task A_blob_just_at_the_bound_is_taken() =>
        Assert.True((await Store.PutAsync(Mine, HashOf(new byte[1_000]), new MemoryStream(new byte[1_000]), 1_000, default)).IsSuccess);

    [Fact]
    public async Task A_source_that_breaks_leaves_nothing_and_its_failure_is_passed_on()
    {
        await Assert.ThrowsAsync<EndOfStreamException>(async () => await Store.PutAsync(Mine, HashOf(new byte[10]), new BreakingStream(), Ample, default));

        Assert.True(HoldsNothing);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../../../etc/passwd")]
    [InlineData("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85")]
    public async Task Only_a_hash_names_a_blob(string name)
    {
        Assert.Equal("artifact_hash_mismatch", (await Store.PutAsync(Mine, name, new MemoryStream(), Ample, default)).Problem?.Code);
        Assert.Null(await Store.OpenAsync(Mine, name, default));
        await Store.DeleteAsync(Mine, name, default);
    }

    [Fact]
    public async Task A_deleted_blob_is_gone_and_may_be_deleted_again()
    {
        var bytes = Bytes("short-lived");
        await PutAsync(Mine, bytes);

        await Store.DeleteAsync(Mine, HashOf(bytes), default);
        await Store.DeleteAsync(Mine, HashOf(bytes), default);

        Assert.Null(await Store.OpenAsync(Mine, HashOf(bytes), default));
        Assert.True(HoldsNothing);
    }

    [Fact]
    public async Task A_blob_that_is_being_read_may_be_deleted()
    {
        var bytes = Bytes("in use");
        await PutAsync(Mine, bytes);
        await using var reading = await Store.OpenAsync(Mine, HashOf(bytes), default);

        await Store.DeleteAsync(Mine, HashOf(bytes), default);

        var read = new MemoryStream();
        await reading!.CopyToAsync(read);
        Assert.Equal(bytes, read.ToArray());
    }

    private protected static string HashOf(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private protected static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private Task<Result<ArtifactInfo>> PutAsync(OrganizationId organization, byte[] bytes) =>
        Store.PutAsync(organization, HashOf(bytes), new MemoryStream(bytes), Ample, default).AsTask();

    private async Task<byte[]> ReadAsync(OrganizationId organization, string hash)
    {
        await using var stream = await Store.OpenAsync(organization, hash, default);
        Assert.NotNull(stream);
        var read = new MemoryStream();
        await stream.CopyToAsync(read);
        return read.ToArray();
    }

    /// <summary>Gives a few bytes and breaks.</summary>
    private sealed class BreakingStream : MemoryStream
    {
        private bool gave;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (gave) throw new EndOfStreamException("The sender went away.");
            gave = true;
            return new(5);
        }
    }
}
